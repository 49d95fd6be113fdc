import FoundationEssentials
import Glibc

/// The machine that a run was made on.
package struct EnvironmentFacts: Codable, Sendable, Equatable {
  package var hostname: String
  package var os: String
  package var kernel: String
  package var cpu: String
  package var logicalCores: Int
  package var memoryBytes: UInt64
  package var swift: String
  @AlwaysPresent package var gitCommit: String?
  /// `tsc` and the like: other sources make every stamp a system call.
  package var clockSource: String?

  /// Reads this machine's facts.
  package static func current(environment: [String: String]) -> EnvironmentFacts {
    var names = utsname()
    uname(&names)
    return EnvironmentFacts(
      hostname: text(of: &names.nodename), os: osName(),
      kernel: "\(text(of: &names.sysname)) \(text(of: &names.release))",
      cpu: cpuName(), logicalCores: sysconf(Int32(_SC_NPROCESSORS_ONLN)),
      memoryBytes: UInt64(sysconf(Int32(_SC_PHYS_PAGES))) * UInt64(sysconf(Int32(_SC_PAGESIZE))), swift: swiftVersion,
      gitCommit: GitCommit.current(environment: environment),
      clockSource: firstLine("/sys/devices/system/clocksource/clocksource0/current_clocksource"))
  }

  /// The compiler that built this tool, as exactly as it tells.
  private static var swiftVersion: String {
    #if compiler(>=6.4)
      "6.4 or later"
    #elseif compiler(>=6.3.1)
      "6.3.1 or later in 6.3"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }

  private static func osName() -> String {
    lines("/etc/os-release").first { $0.hasPrefix("PRETTY_NAME=") }?
      .dropFirst("PRETTY_NAME=".count).trimming(while: { $0 == "\"" }) ?? "Linux"
  }

  private static func cpuName() -> String {
    lines("/proc/cpuinfo").first { $0.hasPrefix("model name") }?
      .split(separator: ":").last?.trimming(while: \.isWhitespace) ?? "unknown"
  }

  private static func firstLine(_ path: String) -> String? { lines(path).first }

  private static func lines(_ path: String) -> [String] {
    guard let data = FileManager.default.contents(atPath: path) else { return [] }
    return String(decoding: data.prefix(1 << 20), as: UTF8.self).split(separator: "\n").map(String.init)
  }

  private static func text<T>(of field: inout T) -> String {
    withUnsafeBytes(of: &field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
