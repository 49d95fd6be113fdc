public import Latency

/// How long a CPU quota has kept this process from running, from `cpu.stat` of its control groups, version 1 and 2
/// (Documentation/admin-guide/cgroup-v1, cgroup-v2.rst and scheduler/sched-bwc.rst of Linux).
///
/// A throttled process does not notice the pause: its clock jumps, and every latency measured across the pause contains
/// it.
public struct CPUThrottling: Sendable, Equatable {
  /// Periods in which the group was active.
  public var allPeriods: UInt64 = 0
  /// Periods in which the group's quota was used up; part of ``allPeriods``.
  public var periods: UInt64 = 0
  /// How long threads were kept from running, added up over all CPUs.
  public var time = Nanoseconds.zero

  /// Makes a reading.
  public init(allPeriods: UInt64 = 0, periods: UInt64 = 0, time: Nanoseconds = .zero) {
    self.allPeriods = allPeriods
    self.periods = periods
    self.time = time
  }

  /// The increase since `earlier`.
  public func since(_ earlier: CPUThrottling) -> CPUThrottling {
    CPUThrottling(
      allPeriods: allPeriods - min(allPeriods, earlier.allPeriods), periods: periods - min(periods, earlier.periods),
      time: time - earlier.time)
  }

  static func + (one: CPUThrottling, other: CPUThrottling) -> CPUThrottling {
    CPUThrottling(
      allPeriods: one.allPeriods.addingSaturated(other.allPeriods),
      periods: one.periods.addingSaturated(other.periods), time: one.time + other.time)
  }

  /// The share of `watched`, 0…1, in which the quota kept the process from running. The kernel adds up the times of all
  /// CPUs, so the share is limited to that of the periods whose quota was used up.
  func share(of watched: Nanoseconds) -> Double {
    guard watched > .zero else { return 0 }
    let ofTime = min(1, time.seconds / watched.seconds)
    return allPeriods > 0 ? min(ofTime, Double(periods) / Double(allPeriods)) : ofTime
  }

  /// `nr_periods N`, `nr_throttled N` and `throttled_usec T` (version 2, in µs) or `throttled_time T` (version 1, in
  /// ns); nil where both times are missing: the group has no CPU quota.
  static func parse(_ text: String) -> CPUThrottling? {
    var allPeriods: UInt64 = 0
    var (periods, time): (UInt64?, Nanoseconds?)
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 2, let number = UInt64(words[1]) else { continue }
      switch words[0] {
      case "nr_periods": allPeriods = number
      case "nr_throttled": periods = number
      case "throttled_usec": time = .microseconds(number)
      case "throttled_time": time = .nanoseconds(number)
      default: break
      }
    }
    guard let periods, let time else { return nil }
    return CPUThrottling(allPeriods: allPeriods, periods: periods, time: time)
  }
}

/// The `cpu.stat` files of the control groups whose quotas limit this process: its own group and those above it.
struct CPUQuotaFiles: Sendable, Equatable {
  let paths: [String]

  /// The files of this process that can be read now.
  static func ofThisProcess() -> CPUQuotaFiles {
    let groups = SystemFile.read("/proc/self/cgroup", limit: 65_536) ?? ""
    let mounts = SystemFile.read("/proc/self/mountinfo", limit: 1 << 20) ?? ""
    let candidates = find(groups: groups, mounts: mounts)
    return CPUQuotaFiles(paths: candidates.filter { SystemFile.read($0).flatMap(CPUThrottling.parse) != nil })
  }

  /// Reads each group. A parent group throttles its children too, and each group counts from its own creation.
  func read() -> [CPUThrottling] {
    paths.map { SystemFile.read($0).flatMap(CPUThrottling.parse) ?? CPUThrottling() }
  }

  /// The possible paths of the files, from the lines of `/proc/self/cgroup` (cgroups(7)) and `/proc/self/mountinfo`
  /// (proc_pid_mountinfo(5)).
  static func find(groups: String, mounts: String) -> [String] {
    var paths: [String] = []
    for line in groups.split(separator: "\n") {
      // `0::/path` is version 2; `3:cpu,cpuacct:/path` is version 1.
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3, parts[2].hasPrefix("/") else { continue }
      let isUnified = parts[0] == "0" && parts[1].isEmpty
      guard isUnified || parts[1].split(separator: ",").contains("cpu") else { continue }
      for mount in mounts.split(separator: "\n").compactMap(Mount.init) where mount.holds(isUnified: isUnified) {
        paths += mount.files(ofGroup: String(parts[2])).filter { !paths.contains($0) }
      }
    }
    return paths
  }

  private struct Mount {
    let root: String
    let point: String
    let isVersion2: Bool
    let options: [Substring]

    /// `31 23 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu`
    init?(_ line: Substring) {
      guard let separator = line.firstRange(of: " - ") else { return nil }
      let before = line[..<separator.lowerBound].split(separator: " ")
      let after = line[separator.upperBound...].split(separator: " ")
      guard before.count >= 6, after.count >= 3, after[0] == "cgroup" || after[0] == "cgroup2" else { return nil }
      root = String(before[3])
      point = String(before[4])
      isVersion2 = after[0] == "cgroup2"
      options = after[2].split(separator: ",")
    }

    func holds(isUnified: Bool) -> Bool { isUnified ? isVersion2 : !isVersion2 && options.contains("cpu") }

    /// `cpu.stat` of `group` and of each group above it, as far as the mount shows them. In a container the mount's
    /// root is the container's own group, or the group's path belongs to the host and is not visible here. Then the
    /// mount point alone is used.
    func files(ofGroup group: String) -> [String] {
      var path = group
      if root != "/", path == root || path.hasPrefix(root + "/") { path = String(path.dropFirst(root.count)) }
      var parts = path.split(separator: "/").filter { $0 != ".." }
      var files: [String] = []
      while !parts.isEmpty {
        files.append(point + "/" + parts.joined(separator: "/") + "/cpu.stat")
        parts.removeLast()
      }
      return files + [point + "/cpu.stat"]
    }
  }
}
