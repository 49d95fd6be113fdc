/// Logical CPUs, by number.
enum ProcessorSet {
  /// Linux is built for no more CPUs (CONFIG_NR_CPUS).
  private static let limit = 8192

  /// All CPUs in use on this machine; nil where sysfs lacks the list.
  static func online() -> Set<Int>? { SystemFile.read("/sys/devices/system/cpu/online").flatMap(parse) }

  /// The CPUs that this process may run on (its affinity mask); nil where procfs lacks them.
  static func allowed() -> Set<Int>? {
    // The mask of the first thread; glibc's sched_getaffinity ends at 1024 CPUs, and Swift does not import it.
    SystemFile.read("/proc/self/status", limit: 65_536).flatMap(parseStatus)
  }

  /// The line `Cpus_allowed_list:` of proc_pid_status(5).
  static func parseStatus(_ text: String) -> Set<Int>? {
    let name = "Cpus_allowed_list:"
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { return nil }
    return parse(String(line.dropFirst(name.count).drop { $0 == "\t" || $0 == " " }))
  }

  /// `0-3,5`: the list format of the kernel (Documentation/admin-guide/cputopology.rst); nil for any other text.
  static func parse(_ text: String) -> Set<Int>? {
    var set: Set<Int> = []
    let line = text.hasSuffix("\n") ? text.dropLast() : text[...]
    for part in line.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
        first >= 0, first <= last, last < limit
      else { return nil }
      set.formUnion(first...last)
    }
    return set
  }
}
