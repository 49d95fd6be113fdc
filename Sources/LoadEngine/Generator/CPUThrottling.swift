public import Latency

/// How long a CPU quota has kept this process from running: `cpu.stat` of the control groups it is in, version 1 and 2
/// (Documentation/admin-guide/cgroup-v1, cgroup-v2.rst and scheduler/sched-bwc.rst of Linux).
///
/// A throttled process sees nothing of it: its clock jumps, and every latency that it measures has the pause in it.
public struct CPUThrottling: Sendable, Equatable {
  /// Periods in which the group was active, and those of them in which its quota was used up.
  public var allPeriods: UInt64 = 0
  /// See ``allPeriods``.
  public var periods: UInt64 = 0
  /// How long threads were kept from running. A quota on several CPUs counts each of them.
  public var time = Nanoseconds.zero

  /// Makes a reading.
  public init(allPeriods: UInt64 = 0, periods: UInt64 = 0, time: Nanoseconds = .zero) {
    self.allPeriods = allPeriods
    self.periods = periods
    self.time = time
  }

  /// What came to it since `earlier`.
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
  /// CPUs: no more than the share of the periods whose quota was used up can be true.
  func share(of watched: Nanoseconds) -> Double {
    guard watched > .zero else { return 0 }
    let ofTime = min(1, time.seconds / watched.seconds)
    return allPeriods > 0 ? min(ofTime, Double(periods) / Double(allPeriods)) : ofTime
  }

  /// `nr_periods N`, `nr_throttled N` and `throttled_usec T` (version 2, in µs) or `throttled_time T` (version 1, in ns);
  /// nil where neither is there: the group has no CPU quota.
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

/// The `cpu.stat` files that tell of the quotas over this process: of its own control group and of those above it.
struct CPUQuotaFiles: Sendable, Equatable {
  let paths: [String]

  /// Those of this process that can be read now.
  static func ofThisProcess() -> CPUQuotaFiles {
    let groups = SystemFile.read("/proc/self/cgroup", limit: 65_536) ?? ""
    let mounts = SystemFile.read("/proc/self/mountinfo", limit: 1 << 20) ?? ""
    let candidates = find(groups: groups, mounts: mounts)
    return CPUQuotaFiles(paths: candidates.filter { SystemFile.read($0).flatMap(CPUThrottling.parse) != nil })
  }

  /// A reading of each group: a group above throttles those in it, and each counts its own since it was made.
  func read() -> [CPUThrottling] {
    paths.map { SystemFile.read($0).flatMap(CPUThrottling.parse) ?? CPUThrottling() }
  }

  /// Where the files would be, from the lines of `/proc/self/cgroup` (cgroups(7)) and `/proc/self/mountinfo`
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

    /// `cpu.stat` of `group` and of each group above it, as far as the mount shows them. In a container the mount's root is
    /// the container's own group, or the group's path is one of the host that is not visible here: then the mount point is
    /// what there is.
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
