import FoundationEssentials
import Glibc

/// A control group of a test's own whose processes get only a share of one CPU; removed with ``remove()`` once they have
/// ended.
struct QuotaGroup: Sendable {
  let path: String

  /// Whether this machine lets its user make one.
  static let isPossible: Bool = {
    guard let group = QuotaGroup(percent: 50) else { return false }
    group.remove()
    return true
  }()

  /// nil where there is no hierarchy with the controller `cpu` in which a group can be made: version 1 or 2, below the
  /// group of this process or the root.
  init?(percent: Int) {
    let own = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? ""
    let unified = own.split(separator: "\n").first { $0.hasPrefix("0::/") }.map { String($0.dropFirst(3)) } ?? "/"
    let (quota, period) = (percent * 1_000, 100_000)
    let places: [(base: String, file: String, text: String)] =
      ["cpu", "cpu,cpuacct"].map { ("/sys/fs/cgroup/\($0)", "cpu.cfs_quota_us", "\(quota)") }
      + [unified, "/"].map { ("/sys/fs/cgroup\($0)", "cpu.max", "\(quota) \(period)") }
    for place in places {
      let path = "\(place.base)/infrabench-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
      guard mkdir(path, 0o755) == 0 else { continue }
      if access("\(path)/\(place.file)", W_OK) == 0, Self.write(place.text, to: "\(path)/\(place.file)"),
        access("\(path)/cgroup.procs", W_OK) == 0
      {
        self.path = path
        return
      }
      rmdir(path)
    }
    return nil
  }

  /// Words before a program's own that start it in the group.
  var launcher: [String] { ["/bin/sh", "-c", "echo $$ > '\(path)/cgroup.procs' && exec \"$@\"", "sh"] }

  func remove() { rmdir(path) }

  private static func write(_ text: String, to path: String) -> Bool {
    let file = open(path, O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return false }
    defer { close(file) }
    return Glibc.write(file, text, text.utf8.count) == text.utf8.count
  }
}
