import Foundation
import Glibc

/// nginx as a proxy on loopback, with a configuration of a test's own; a process of this test, ended by ``stop()``.
public final class NginxServer: Sendable {
  /// Where it listens on 127.0.0.1.
  public let port: Int

  private let process: Process
  private let folder: ScratchDirectory

  /// The program's path; nil where it is not installed.
  public static let program = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  /// Starts it and waits until it listens.
  ///
  /// - Parameter locations: what stands inside the `server` block.
  public init(_ locations: String) async throws {
    guard let program = Self.program else { throw CocoaError(.fileNoSuchFile) }
    folder = try ScratchDirectory()
    port = try Self.freePort()
    try folder.write(
      "nginx.conf",
      """
      daemon off; master_process off; worker_processes 1; pid \(folder.path)/pid; error_log \(folder.path)/error.log;
      events { worker_connections 1024; }
      http {
        access_log \(folder.path)/access.log;
        client_body_temp_path \(folder.path)/a; proxy_temp_path \(folder.path)/b; fastcgi_temp_path \(folder.path)/c;
        uwsgi_temp_path \(folder.path)/d; scgi_temp_path \(folder.path)/e;
        server { listen 127.0.0.1:\(port); \(locations) }
      }
      """)
    process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = ["-p", folder.path, "-c", folder.path + "/nginx.conf", "-e", folder.path + "/start.log"]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    for _ in 0..<5_000 where process.isRunning && !Self.listens(port) { try await Task.sleep(for: .milliseconds(2)) }
  }

  /// The lines of its access log so far: its word for what came.
  public var accessLog: [String] {
    let text = (try? String(contentsOfFile: folder.path + "/access.log", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }

  /// Ends it.
  public func stop() {
    process.terminate()
    process.waitUntilExit()
  }

  private static func listens(_ port: Int) -> Bool {
    withSocket(port) { connect($0, $1, $2) == 0 } ?? false
  }

  /// A port that nobody uses now.
  private static func freePort() throws -> Int {
    let port = withSocket(0) { descriptor, address, length -> Int? in
      var bound = sockaddr_in()
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      guard bind(descriptor, address, length) == 0 else { return nil }
      let status = withUnsafeMutablePointer(to: &bound) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
      }
      return status == 0 ? Int(UInt16(bigEndian: bound.sin_port)) : nil
    }
    guard case .some(.some(let port)) = port else { throw CocoaError(.featureUnsupported) }
    return port
  }

  private static func withSocket<T>(_ port: Int, _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> T) -> T? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
}
