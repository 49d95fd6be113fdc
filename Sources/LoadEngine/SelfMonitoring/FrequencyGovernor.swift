/// The kernel's policy for a CPU's clock frequency (Documentation/admin-guide/pm/cpufreq.rst).
enum FrequencyGovernor {
  /// The governors' names by CPU; empty where there are no governors, as in most virtual machines.
  static func current(of processors: Set<Int>) -> [Int: String] {
    var governors: [Int: String] = [:]
    for processor in processors {
      let path = "/sys/devices/system/cpu/cpu\(processor)/cpufreq/scaling_governor"
      governors[processor] = SystemFile.read(path, limit: 64).flatMap(parse)
    }
    return governors
  }

  /// A governor's name, which has lower-case letters and underscores only; nil for any other text.
  static func parse(_ text: String) -> String? {
    let name = text.hasSuffix("\n") ? text.dropLast() : text[...]
    let isName = name.utf8.allSatisfy { (0x61...0x7a).contains($0) || $0 == 0x5f }
    return isName && (1...16).contains(name.utf8.count) ? String(name) : nil
  }
}
