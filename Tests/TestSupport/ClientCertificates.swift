import Foundation
import Glibc

/// An authority of this test's own, a server's certificate for 127.0.0.1 and localhost, and clients' certificates, made by the
/// openssl program. All files are PEM.
public final class ClientCertificates: Sendable {
  /// The authority, and the server's certificate with its key.
  public let (authority, server, serverKey): (String, String, String)
  /// A client's certificate behind an intermediate authority, with that one, and its key.
  public let (chain, key): (String, String)
  /// The same certificate alone, which the authority does not know.
  public let leaf: String
  /// The key in a passphrase's care: PKCS #8, and the form of old.
  public let encryptedKeys: [String]
  /// Another client's, signed by itself.
  public let (stranger, strangerKey): (String, String)
  private let scratch: ScratchDirectory

  /// Makes them; some hundred ms.
  public init() throws {
    let scratch = try ScratchDirectory()
    self.scratch = scratch
    func path(_ name: String) -> String { "\(scratch.path)/\(name)" }
    (authority, server, serverKey) = (path("ca.pem"), path("server.pem"), path("server.key"))
    (chain, key, leaf) = (path("chain.pem"), path("client.key"), path("client.pem"))
    (stranger, strangerKey) = (path("stranger.pem"), path("stranger.key"))
    encryptedKeys = [path("encrypted.key"), path("old.key")]
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    func own(_ name: String, _ subject: String) throws {
      try Self.openssl(
        ["req", "-x509"] + curve + [
          "-days", "2", "-subj", "/CN=\(subject)", "-keyout", path("\(name).key"), "-out", path("\(name).pem"),
        ])
    }
    func signed(_ name: String, by signer: String, _ extensions: String) throws {
      try scratch.write("\(name).ext", extensions)
      try Self.openssl(
        ["req"] + curve + [
          "-subj", "/CN=infrabench \(name)", "-keyout", path("\(name).key"), "-out", path("\(name).csr"),
        ])
      try Self.openssl([
        "x509", "-req", "-in", path("\(name).csr"), "-CA", path("\(signer).pem"), "-CAkey", path("\(signer).key"),
        "-CAcreateserial", "-days", "2", "-extfile", path("\(name).ext"), "-out", path("\(name).pem"),
      ])
    }
    try own("ca", "infrabench authority")
    try own("stranger", "infrabench stranger")
    try signed("server", by: "ca", "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost")
    try signed("intermediate", by: "ca", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign")
    try signed("client", by: "intermediate", "extendedKeyUsage=clientAuth")
    let files = try [leaf, path("intermediate.pem")].map { try String(contentsOfFile: $0, encoding: .utf8) }
    try scratch.write("chain.pem", files.joined())
    try Self.openssl(["pkcs8", "-topk8", "-in", key, "-passout", "pass:secret", "-out", encryptedKeys[0]])
    try Self.openssl(["ec", "-aes256", "-in", key, "-passout", "pass:secret", "-out", encryptedKeys[1]])
  }

  /// The directives of an nginx that wants a client certificate of the authority.
  public var nginx: String {
    """
    ssl_certificate \(server); ssl_certificate_key \(serverKey); ssl_client_certificate \(authority);
    ssl_verify_client on; ssl_verify_depth 3;
    """
  }

  /// Writes a file beside them, and tells its path.
  public func write(_ name: String, _ contents: String) throws -> String { try scratch.write(name, contents) }

  private static func openssl(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/openssl")
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown) }
  }
}

/// A TLS server that nobody here wrote and that wants a client certificate of an authority's: `openssl s_server`, or Node,
/// which closes the connection of who has none without saying why.
public final class CertificateServer {
  /// Which one.
  public enum Kind: Sendable, CaseIterable {
    case tls13
    case tls12
    case node
  }

  /// Where it listens on 127.0.0.1.
  public let port: Int
  private let process = Process()
  private let input = Pipe()

  /// Whether there is such a program.
  public static func isAvailable(_ kind: Kind) -> Bool {
    FileManager.default.isExecutableFile(atPath: kind == .node ? node : openssl)
  }
  private static let (openssl, node) = ("/usr/bin/openssl", "/usr/bin/node")

  /// Starts it and waits until it listens. It answers every request with a page.
  public init(_ kind: Kind, _ certificates: ClientCertificates) throws {
    let words: [String]
    switch kind {
    case .tls12, .tls13:
      process.executableURL = URL(filePath: Self.openssl)
      words = [
        "s_server", "-accept", "127.0.0.1:0", "-cert", certificates.server, "-key", certificates.serverKey, "-CAfile",
        certificates.authority, "-Verify", "3", "-verify_return_error", "-www",
        kind == .tls12 ? "-tls1_2" : "-tls1_3",
      ]
    case .node:
      process.executableURL = URL(filePath: Self.node)
      words = [
        "-e",
        """
        const fs = require("fs"), https = require("https");
        const [cert, key, ca] = process.argv.slice(1).map((path) => fs.readFileSync(path));
        const options = { cert, key, ca, requestCert: true, rejectUnauthorized: true };
        const server = https.createServer(options, (request, response) => response.end("hello"));
        server.listen(0, "127.0.0.1", () => console.log("ACCEPT 127.0.0.1:" + server.address().port));
        """, certificates.server, certificates.serverKey, certificates.authority,
      ]
    }
    let output = Pipe()
    process.arguments = words
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

  /// Ends the server, whatever signals it has inherited as blocked.
  public func stop() {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }
}
