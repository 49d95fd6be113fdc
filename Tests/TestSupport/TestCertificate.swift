import Foundation
public import NIOSSL

/// A self-signed certificate, made by the openssl program.
public struct TestCertificate: Sendable {
  /// Its file, PEM.
  public let path: String
  /// Its private key's file, PEM.
  public let keyPath: String
  /// For a server that shows it.
  public let server: NIOSSLContext
  private let scratch: ScratchDirectory

  /// Whether there is such a program, for `.enabled(if:)`.
  public static let isAvailable = FileManager.default.isExecutableFile(atPath: openssl)
  private static let openssl = "/usr/bin/openssl"

  /// Makes it.
  ///
  /// - Parameter names: as a certificate has them, `IP:127.0.0.1,DNS:localhost`.
  public init(names: String) throws {
    scratch = try ScratchDirectory()
    path = "\(scratch.path)/certificate.pem"
    keyPath = "\(scratch.path)/key.pem"
    let process = Process()
    process.executableURL = URL(filePath: Self.openssl)
    process.arguments = [
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
      "-subj", "/CN=infrabench test", "-addext", "subjectAltName=\(names)", "-keyout", keyPath,
      "-out", path,
    ]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown) }
    let chain = try NIOSSLCertificate.fromPEMFile(path).map { NIOSSLCertificateSource.certificate($0) }
    let key = try NIOSSLPrivateKey(file: keyPath, format: .pem)
    server = try NIOSSLContext(
      configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
  }
}
