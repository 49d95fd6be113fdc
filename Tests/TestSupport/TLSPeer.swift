import Foundation
import Glibc
import Synchronization

/// A TLS server that nobody here wrote, of one version of TLS: `openssl s_server`, nginx, or Python's `ssl`.
public final class TLSPeer {
  /// Which one.
  public enum Kind: String, Sendable, CaseIterable {
    case openssl
    case nginx
    case python

    /// Whether it is installed.
    public var isAvailable: Bool {
      switch self {
      case .openssl: TestCertificate.isAvailable
      case .nginx: ForeignProxy.nginx != nil
      case .python: Python.canImport("ssl")
      }
    }
  }

  /// The only version that it speaks.
  public enum Version: String, Sendable, CaseIterable {
    case tls12
    case tls13
  }

  /// How Python's server ends a connection.
  public enum End: String, Sendable, CaseIterable {
    /// It keeps the connection.
    case none
    /// With TLS' farewell, `close_notify`.
    case farewell
    /// It closes the socket alone, as many servers do.
    case abrupt
  }

  /// Where it listens on 127.0.0.1.
  public let port: Int
  /// A file of authorities that makes its certificate known; nil where it is to stay unknown.
  public let caFile: String?
  private let end: () -> Void
  /// The certificates that were made so far, each in a folder of its own.
  private static let made = Mutex<[FaultyTLSServer.Fault?: ScratchDirectory]>([:])

  /// Starts the server, with a certificate that has `fault`.
  ///
  /// - Parameter answers: what Python's server says to `GET /end/n`, where `end` is an ``End`` and `n` a number. To all
  ///   other requests it says `ok`, and so does nginx; openssl sends a page.
  public init(
    _ kind: Kind, _ version: Version, _ fault: FaultyTLSServer.Fault?, answers: [String] = []
  ) async throws {
    let folder = try Self.made.withLock { made in
      if let known = made[fault] { return known }
      let folder = try ScratchDirectory()
      _ = try FaultyTLSServer.makeCertificate(fault, in: folder)
      made[fault] = folder
      return folder
    }
    let (certificate, key) = ("\(folder.path)/certificate.pem", "\(folder.path)/key.pem")
    caFile = fault == .unknownAuthority ? nil : certificate
    let wants = fault == .wantsCertificate
    switch kind {
    case .nginx:
      let server = try await ForeignProxy.nginx(
        listen: "ssl",
        """
        ssl_certificate \(certificate); ssl_certificate_key \(key);
        ssl_protocols \(version == .tls12 ? "TLSv1.2" : "TLSv1.3");
        \(wants ? "ssl_client_certificate \(certificate); ssl_verify_client on;" : "")
        location / { return 200 ok; }
        """)
      port = server.port
      end = { server.stop() }
    case .openssl:
      let arguments = [
        "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key, "-www",
        version == .tls12 ? "-tls1_2" : "-tls1_3",
      ]
      (port, end) = try await Self.start("/usr/bin/openssl", arguments + (wants ? ["-Verify", "1"] : []))
    case .python:
      (port, end) = try await Self.start(
        "/usr/bin/env",
        [
          Python.interpreter, "-u", "-c", Self.script, certificate, key, version == .tls12 ? "TLSv1_2" : "TLSv1_3",
          "\(wants)",
        ] + answers)
    }
  }

  /// Ends it.
  public func stop() { end() }

  private static let script = """
    import socket, ssl, sys, threading
    certificate, key, version, wants = sys.argv[1:5]
    answers = sys.argv[5:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    if wants == "true":
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate)
    def serve(raw):
        connection = None
        try:
            connection = context.wrap_socket(raw, server_side=True)
            while True:
                text = b""
                while b"\\r\\n\\r\\n" not in text:
                    part = connection.recv(65536)
                    if not part: return
                    text += part
                path = text.split(b" ")[1].decode().split("/")
                ending, answer = "none", "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"
                if len(path) == 3: ending, answer = path[1], answers[int(path[2])]
                connection.sendall(answer.encode())
                if ending == "farewell": connection.unwrap()
                if ending != "none": return
        except OSError: pass
        finally: (connection or raw).close()
    server = socket.create_server(("127.0.0.1", 0))
    print("ACCEPT 127.0.0.1:%d" % server.getsockname()[1])
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
    """

  /// Starts a program that says where it listens.
  private static func start(_ program: String, _ arguments: [String]) async throws -> (port: Int, end: () -> Void) {
    let (process, input, scratch) = (Process(), Pipe(), try ScratchDirectory())
    let said = try scratch.write("said", "")
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.standardInput = input
    process.standardOutput = FileHandle(forWritingAtPath: said)
    process.standardError = FileHandle.nullDevice
    try process.run()
    // It inherits the signals that a thread of the tests has blocked, which SIGTERM may be.
    let end = {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      try? input.fileHandleForWriting.close()
    }
    for _ in 0..<10_000 where process.isRunning {
      let lines = try String(contentsOfFile: said, encoding: .utf8).split(
        separator: "\n", omittingEmptySubsequences: false)
      let line = lines.dropLast().first { $0.hasPrefix("ACCEPT ") }
      if let port = line?.split(separator: ":").last.flatMap({ Int($0) }) { return (port, end) }
      try await Task.sleep(for: .milliseconds(2))
    }
    end()
    throw CocoaError(.executableLoad)
  }
}
