import Foundation
import NIOCore
import NIOPosix
public import TestSupport

extension Python {
  /// Runs `body` while `moto_server` listens on a free loopback port; ends that one process afterwards.
  public static func withMoto<Value>(_ body: (_ url: String) async throws -> Value) async throws -> Value {
    let port = try await freePort()
    let process = command(["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)])
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
