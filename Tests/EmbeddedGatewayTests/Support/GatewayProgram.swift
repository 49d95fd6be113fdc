import FoundationEssentials
import Glibc
import ProcessControl
import Testing

/// The program `mock-gateway` with real tasks; ended by ``stop()``.
struct GatewayProgram {
  struct Ready: Decodable {
    let event, gatewayUrl, ecsEndpointUrl, profile, workspaceRoot: String
    let controlUrl, controlToken, accessKeyId, secretAccessKey: String?
  }

  let process: ChildProcess
  let ready: Ready

  var port: Int { ready.gatewayUrl.split(separator: ":").last.flatMap { Int($0) } ?? 0 }

  /// Where the programs of one build lie.
  static let directory: String = {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
  }()

  /// Starts it on a free port, and waits for its ready line.
  static func start(_ arguments: [String]) async throws -> GatewayProgram {
    let process = try await ProcessKeeper.shared.spawn(
      ProcessRequest(
        executable: "\(directory)/mock-gateway",
        arguments: ["--port", "0", "--task-start-delay", "10ms", "--lifeline"] + arguments,
        standardInput: .pipe, standardOutput: .pipe, diesWithParent: true))
    let line = try await firstLine(of: process)
    return GatewayProgram(process: process, ready: try JSONDecoder().decode(Ready.self, from: Data(line.utf8)))
  }

  private static func firstLine(of process: ChildProcess) async throws -> String {
    let descriptor = try #require(process.standardOutput).descriptor
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    var bytes: [UInt8] = []
    for _ in 0..<3000 {
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = read(descriptor, &buffer, buffer.count)
      if count > 0 { bytes += buffer.prefix(count) }
      if bytes.last == UInt8(ascii: "\n") || count == 0 { break }
      try await Task.sleep(for: .milliseconds(10))
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Ends it in order; its exit status.
  func stop() async -> ProcessControl.ExitStatus {
    process.standardInput?.close()
    return await process.waitForExit()
  }
}
