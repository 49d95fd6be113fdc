import Foundation
import NIOCore
import NIOPosix

/// Programs in Python that nobody here wrote: boto3 and moto. The interpreter is `INFRABENCH_PYTHON`, else `python3`.
public enum Python {
  /// Whether a module can be imported; tests that need it are skipped with a note otherwise.
  public static func canImport(_ module: String) -> Bool {
    let process = command(["-c", "import \(module)"], environment: [:])
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  /// Runs a script to its end.
  public static func run(
    _ arguments: [String], environment: [String: String] = [:]
  ) async throws -> (status: Int32, output: String) {
    let process = command(arguments, environment: environment)
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("infrabench-\(UUID().uuidString).out")
    _ = FileManager.default.createFile(atPath: file.path, contents: nil)
    defer { try? FileManager.default.removeItem(at: file) }
    let handle = try FileHandle(forWritingTo: file)
    process.standardOutput = handle
    process.standardError = handle
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      process.terminationHandler = { _ in continuation.resume() }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
    return (process.terminationStatus, try String(contentsOf: file, encoding: .utf8))
  }

  /// Runs `body` while `moto_server` listens on a free loopback port; ends that one process afterwards.
  public static func withMoto<Value>(_ body: (_ url: String) async throws -> Value) async throws -> Value {
    let port = try await freePort()
    let process = command(["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)], environment: [:])
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let (exits, exit) = AsyncStream.makeStream(of: Void.self)
    process.terminationHandler = { _ in exit.finish() }
    try process.run()
    let result: Result<Value, any Error>
    do { result = .success(try await body("http://127.0.0.1:\(port)")) } catch { result = .failure(error) }
    // Not SIGTERM: a child of a thread of Swift's pool inherits that thread's mask, which blocks it.
    kill(process.processIdentifier, SIGKILL)
    for await _ in exits {}
    return try result.get()
  }

  private static func command(_ arguments: [String], environment: [String: String]) -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let interpreter = ProcessInfo.processInfo.environment["INFRABENCH_PYTHON"] ?? "python3"
    process.arguments = [interpreter] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    return process
  }

  /// Below the range the kernel gives to other tests' servers: none of them can take the port before moto does.
  private static func freePort() async throws -> Int {
    while true {
      let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      let port = Int.random(in: 20_000..<32_000)
      guard let channel = try? await bootstrap.bind(host: "127.0.0.1", port: port).get() else { continue }
      try await channel.close()
      return port
    }
  }
}
