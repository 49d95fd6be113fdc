import FoundationEssentials
import Glibc
import TextFormatting

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
  /// The kernel's clock source, such as `tsc`. With other sources than `tsc` and its like, each time stamp is a system
  /// call.
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

  /// The compiler that built this tool, as far as the compiler tells.
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

/// The commit of the checkout that a run was started in, read without running git.
enum GitCommit {
  /// `GITHUB_SHA` or `CI_COMMIT_SHA` in CI; else the commit that HEAD of the working directory's repository names.
  static func current(environment: [String: String], directory: String = ".") -> String? {
    for name in ["GITHUB_SHA", "CI_COMMIT_SHA"] {
      if let commit = environment[name].flatMap(checked) { return commit }
    }
    guard let git = gitDirectory(from: directory), let head = line(git + "/HEAD") else { return nil }
    guard head.hasPrefix("ref: ") else { return checked(head) }
    let reference = String(head.dropFirst("ref: ".count))
    guard !reference.contains("..") else { return nil }
    // A work tree has a HEAD of its own, and its references are in a shared directory.
    let shared = line(git + "/commondir").map { $0.hasPrefix("/") ? $0 : "\(git)/\($0)" } ?? git
    if let commit = line(shared + "/" + reference) { return checked(commit) }
    return packed(shared + "/packed-refs", reference)
  }

  private static func gitDirectory(from directory: String) -> String? {
    var path = directory
    for _ in 0..<16 {
      let git = path + "/.git"
      var isDirectory = false
      if FileManager.default.fileExists(atPath: git, isDirectory: &isDirectory) {
        if isDirectory { return git }
        // In a work tree or a submodule, `.git` is a file that names the directory.
        guard let text = line(git), text.hasPrefix("gitdir: ") else { return nil }
        let named = String(text.dropFirst("gitdir: ".count))
        return named.hasPrefix("/") ? named : "\(path)/\(named)"
      }
      path += "/.."
    }
    return nil
  }

  private static func packed(_ path: String, _ reference: String) -> String? {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    for entry in String(decoding: data, as: UTF8.self).split(separator: "\n") where entry.hasSuffix(" " + reference) {
      return checked(String(entry.prefix(while: { $0 != " " })))
    }
    return nil
  }

  private static func line(_ path: String) -> String? {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    return String(decoding: data.prefix(4096), as: UTF8.self).split(separator: "\n").first.map(String.init)
  }

  private static func checked(_ text: String) -> String? {
    (40...64).contains(text.utf8.count) && text.allSatisfy { $0.isASCII && $0.isHexDigit } ? text : nil
  }
}
