import Synchronization

/// The time that all releases at the end of a run have together. It begins with the first of them.
package final class ReleaseBudget: Sendable {
  private let bound: UInt64
  private let deadline = Mutex<UInt64?>(nil)

  /// `bound` in ns.
  package init(_ bound: UInt64) {
    self.bound = bound
  }

  /// What is left at `now`, both in ns.
  package func remaining(at now: UInt64) -> UInt64 {
    deadline.withLock { deadline in
      let end = deadline ?? now + bound
      deadline = end
      return end > now ? end - now : 0
    }
  }
}
