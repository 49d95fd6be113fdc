import Foundation
import Glibc

/// nginx or haproxy before something on loopback: a process of this test, ended by ``stop()``. Its log is a witness of what came.
public final class ForeignProxy: Sendable {
  /// Where it listens on 127.0.0.1.
  public let port: Int

  private let process: Process
  private let folder: ScratchDirectory
  private let endsByWord: Bool

  /// nginx's path; nil where it is not installed.
  public static let nginx = program("nginx")
  /// haproxy's path; nil where it is not installed.
  public static let haproxy = program("haproxy")

  private static func program(_ name: String) -> String? {
    ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"].map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// Starts nginx and waits until it listens.
  ///
  /// - Parameters:
  ///   - listen: what stands behind the port, such as `ssl`.
  ///   - locations: what stands inside the `server` block.
  ///   - certificate: what it shows; nil for a server without TLS, or with one in its `locations`.
  ///   - http: what stands before the `server` block.
  ///   - canReload: whether a master keeps the worker, as ``reload()`` needs it.
  public static func nginx(
    listen: String = "", _ locations: String, certificate: TestCertificate? = nil, http: String = "",
    canReload: Bool = false
  ) async throws -> ForeignProxy {
    let program = nginx
    return try await ForeignProxy(
      program, arguments: { ["-p", $0, "-c", "\($0)/configuration", "-e", "\($0)/start.log"] }, endsByWord: canReload
    ) { port, folder in
      let tls = certificate.map { "ssl_certificate \($0.path); ssl_certificate_key \($0.keyPath);" } ?? ""
      return """
        daemon off; master_process \(canReload ? "on" : "off"); worker_processes 1; pid \(folder)/pid;
        error_log \(folder)/error.log;
        events { worker_connections 8192; }
        http {
          access_log \(folder)/log;
          client_body_temp_path \(folder)/a; proxy_temp_path \(folder)/b; fastcgi_temp_path \(folder)/c;
          uwsgi_temp_path \(folder)/d; scgi_temp_path \(folder)/e;
          map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
          \(http)
          server { listen 127.0.0.1:\(port)\(certificate == nil ? "" : " ssl") \(listen); \(tls) \(locations) }
        }
        """
    }
  }

  /// Starts haproxy and waits until it listens. A line of its log is `METHOD PATH STATUS SERVER`, and comes
  /// when the answer's head has.
  ///
  /// - Parameter backend: what stands inside the `backend` section.
  public static func haproxy(_ backend: String) async throws -> ForeignProxy {
    try await ForeignProxy(haproxy, arguments: { ["-db", "-f", "\($0)/configuration"] }) { port, _ in
      """
      global
        log stdout format raw local0
      defaults
        mode http
        log global
        option logasap
        log-format "%HM %HP %ST %s"
        timeout connect 5s
        timeout client 60s
        timeout server 60s
      frontend in
        bind 127.0.0.1:\(port)
        default_backend out
      backend out
      \(backend.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))

      """
    }
  }

  private init(
    _ program: String?, arguments: (_ folder: String) -> [String], endsByWord: Bool = false,
    configuration: (_ port: Int, _ folder: String) -> String
  ) async throws {
    guard let program else { throw CocoaError(.fileNoSuchFile) }
    self.endsByWord = endsByWord
    folder = try ScratchDirectory()
    port = try Self.freePort()
    try folder.write("configuration", configuration(port, folder.path))
    try folder.write("log", "")
    process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments(folder.path)
    process.standardOutput = FileHandle(forWritingAtPath: folder.path + "/log")
    process.standardError = FileHandle.nullDevice
    try process.run()
    for _ in 0..<5_000 where process.isRunning && !Self.listens(port) { try await Task.sleep(for: .milliseconds(2)) }
    guard process.isRunning else { throw CocoaError(.executableLoad) }
  }

  /// The lines of its log so far.
  public var log: [String] {
    let text = (try? String(contentsOfFile: folder.path + "/log", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }

  /// A new worker takes what comes from now on, the old one goes when its last connection has.
  public func reload() { kill(process.processIdentifier, SIGHUP) }

  /// Ends it at once. A process starts with the signals blocked that its parent's thread has blocked, and nginx leaves them so:
  /// only SIGKILL cannot be. A master unblocks them, and has its workers to end.
  public func stop() {
    kill(process.processIdentifier, endsByWord ? SIGTERM : SIGKILL)
    process.waitUntilExit()
  }

  private static func listens(_ port: Int) -> Bool { withSocket(port) { connect($0, $1, $2) == 0 } ?? false }

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
