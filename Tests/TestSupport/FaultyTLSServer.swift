import Foundation
import Glibc

/// A server that nobody here wrote, `openssl s_server`, with something wrong with its TLS.
public final class FaultyTLSServer {
  /// What is wrong.
  public enum Fault: String, Sendable, CaseIterable {
    /// Its certificate ended in 2021.
    case expired
    /// Its certificate begins in 2100.
    case notYetValid
    /// Nobody trusts who has signed its certificate.
    case unknownAuthority
    /// Its certificate is for two other hosts.
    case wrongName
    /// It wants a certificate of the client; the client learns that after the handshake.
    case wantsCertificate
    /// The same with TLS 1.2, where the handshake fails.
    case wantsCertificateInTLS12
    /// It speaks no TLS at all.
    case plain
  }

  /// Where it listens on 127.0.0.1.
  public let port: Int
  /// A file of authorities that makes its certificate known; nil where it is to stay unknown.
  public let caFile: String?
  private let process: Process
  private let scratch: ScratchDirectory
  private let input = Pipe()

  /// Makes a certificate, and starts the server.
  public init(_ fault: Fault) throws {
    scratch = try ScratchDirectory()
    let certificate = try Self.makeCertificate(fault, in: scratch)
    caFile = fault == .unknownAuthority ? nil : certificate
    process = Process()
    if fault == .plain {
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = [
        Python.interpreter, "-u", "-c",
        """
        import socket
        server = socket.create_server(("127.0.0.1", 0))
        print("ACCEPT 127.0.0.1:%d" % server.getsockname()[1])
        while True:
            client, _ = server.accept()
            client.recv(9)
            client.sendall(b"HTTP/1.1 400 Bad Request\\r\\nContent-Length: 0\\r\\n\\r\\n")
        """,
      ]
    } else {
      process.executableURL = URL(filePath: Self.openssl)
      var arguments = [
        "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", "\(scratch.path)/key.pem", "-www",
      ]
      if [.wantsCertificate, .wantsCertificateInTLS12].contains(fault) { arguments += ["-Verify", "1"] }
      if fault == .wantsCertificateInTLS12 { arguments.append("-tls1_2") }
      process.arguments = arguments
    }
    let output = Pipe()
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    var said = ""
    var port: Int?
    while port == nil {
      let data = output.fileHandleForReading.availableData
      guard !data.isEmpty else { throw CocoaError(.fileReadUnknown) }
      said += String(decoding: data, as: UTF8.self)
      port = said.split(separator: "\n").first { $0.hasPrefix("ACCEPT ") }
        .flatMap { $0.split(separator: ":").last }.flatMap { Int($0) }
    }
    self.port = port ?? 0
  }

  /// Ends the server.
  public func stop() {
    // It inherits the signals that a thread of the tests has blocked, which SIGTERM may be.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  private static let openssl = "/usr/bin/openssl"

  /// Makes a certificate for 127.0.0.1 and localhost, with `fault`, and its key in `key.pem`; its path.
  static func makeCertificate(_ fault: Fault?, in scratch: ScratchDirectory) throws -> String {
    let names = fault == .wrongName ? "DNS:other.example,IP:192.0.2.7" : "IP:127.0.0.1,DNS:localhost"
    let (begin, end) =
      switch fault {
      case .expired: ("20200101000000Z", "20210101000000Z")
      case .notYetValid: ("21000101000000Z", "21010101000000Z")
      default: ("20200101000000Z", "20990101000000Z")
      }
    try scratch.write(
      "ca.cnf",
      """
      [ca]
      default_ca = made
      [made]
      database = \(scratch.path)/index
      serial = \(scratch.path)/serial
      new_certs_dir = \(scratch.path)
      default_md = sha256
      policy = any
      copy_extensions = copy
      [any]
      commonName = supplied
      """)
    try scratch.write("index", "")
    try scratch.write("serial", "01\n")
    let path = "\(scratch.path)/certificate.pem"
    try run([
      "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=infrabench test",
      "-addext", "subjectAltName=\(names)", "-keyout", "\(scratch.path)/key.pem", "-out", "\(scratch.path)/request.pem",
    ])
    try run([
      "ca", "-batch", "-config", "\(scratch.path)/ca.cnf", "-selfsign", "-keyfile", "\(scratch.path)/key.pem", "-in",
      "\(scratch.path)/request.pem", "-startdate", begin, "-enddate", end, "-notext", "-out", path,
    ])
    return path
  }

  private static func run(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: openssl)
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown) }
  }
}
