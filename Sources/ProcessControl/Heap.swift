import CProcess

/// Settings of glibc's heap, for processes that run for hours.
package enum Heap {
  /// Makes the heap give back what was freed. Call it early, before other threads allocate.
  ///
  /// Two habits of glibc let the memory of a long run rise, mallopt(3):
  /// - It raises the bound from which a block is a mapping of its own to the size of each freed block, up to 32 MiB.
  ///   Histograms and the states of compressions, 270 kB each, then came from heaps that kept them. Here the bound stays
  ///   at 128 KiB.
  /// - Threads have heaps of their own, and what one of them frees is of no use to the others. Here all share one.
  package static func keepSmall() {
    mallopt(M_MMAP_THRESHOLD, 128 << 10)
    mallopt(M_ARENA_MAX, 1)
  }

  /// Gives free pages back to the system, so that the process's memory is what it uses. It takes about a millisecond.
  package static func trim() { malloc_trim(0) }
}
