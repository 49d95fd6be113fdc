import Glibc
import ProcessControl
import Testing

/// A server that is none of the suite's: it prints its port first, and ends with its standard input.
struct ForeignProgram: Sendable {
  let port: Int
  private let child: ChildProcess
  private let first: String

  static func start(_ executable: String, _ arguments: [String]) async throws -> ForeignProgram {
    let child = try await ProcessKeeper.shared.spawn(
      ProcessRequest(
        executable: executable, arguments: arguments, standardInput: .pipe, standardOutput: .pipe, diesWithParent: true)
    )
    let output = try #require(child.standardOutput)
    _ = fcntl(output.descriptor, F_SETFL, O_NONBLOCK)
    var text = ""
    try await eventually("no port was printed") {
      text += Self.read(output)
      return text.contains("\n") || child.exitStatus != nil
    }
    let line = text.split(separator: "\n").first.map(String.init) ?? ""
    return ForeignProgram(port: try #require(Int(line), "it printed '\(line)'"), child: child, first: text)
  }

  /// Ends it; all that it printed.
  func end() async -> String {
    child.standardInput?.close()
    _ = await child.waitForExit()
    return first + (child.standardOutput.map(Self.read) ?? "")
  }

  private static func read(_ output: OwnedDescriptor) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while case let count = Glibc.read(output.descriptor, &buffer, buffer.count), count > 0 {
      bytes += buffer.prefix(count)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
