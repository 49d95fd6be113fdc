import Glibc

/// The suite's own programs, which lie beside one another.
package enum Executables {
  /// The path of the program `name` in the directory of this one.
  package static func path(of name: String) throws(BenchmarkFailure) -> String {
    let path = "\(ownDirectory)/\(name)"
    guard access(path, X_OK) == 0 else {
      throw BenchmarkFailure(
        "'\(name)' is not beside this tool, in \(ownDirectory): build it with 'swift build -c release'")
    }
    return path
  }

  /// The directory of this program.
  static var ownDirectory: String {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    guard count > 0 else { return "." }
    return String(decoding: buffer[..<count], as: UTF8.self).split(separator: "/", omittingEmptySubsequences: false)
      .dropLast().joined(separator: "/")
  }
}
