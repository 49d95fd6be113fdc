/// CPU time of all CPUs of this machine since its start, in clock ticks.
struct MachineCPUTime: Sendable, Equatable {
  var total: UInt64
  /// Ticks that the hypervisor gave to other machines while a thread here was runnable.
  var stolen: UInt64

  /// With fewer ticks a single one would be a large share.
  private static let fewestTicks: UInt64 = 100

  /// The present reading; nil where procfs lacks it.
  static func current() -> MachineCPUTime? { SystemFile.read("/proc/stat").flatMap(parse) }

  /// The line `cpu  user nice system idle iowait irq softirq steal guest guest_nice` (proc_stat(5)); `user` already
  /// contains `guest`.
  static func parse(_ text: String) -> MachineCPUTime? {
    guard let line = text.split(separator: "\n").first else { return nil }
    let words = line.split(separator: " ")
    guard words.first == "cpu", words.count >= 9 else { return nil }
    var total: UInt64 = 0
    for word in words[1...8] {
      guard let ticks = UInt64(word) else { return nil }
      total = total.addingSaturated(ticks)
    }
    return UInt64(words[8]).map { MachineCPUTime(total: total, stolen: $0) }
  }

  /// The share of the time since `earlier` that was stolen, 0…1; nil after too short a time.
  func stealShare(since earlier: MachineCPUTime) -> Double? {
    guard total >= earlier.total, stolen >= earlier.stolen else { return nil }
    guard total - earlier.total >= Self.fewestTicks else { return nil }
    return min(1, Double(stolen - earlier.stolen) / Double(total - earlier.total))
  }
}
