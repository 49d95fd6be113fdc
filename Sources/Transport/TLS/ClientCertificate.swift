import FoundationEssentials
import NIOSSL
import TextFormatting

/// A client certificate with its key. No message and no report contains either.
public struct ClientCertificate: Sendable {
  /// The fault of one of the two files, and its remedy.
  public struct Problem: Sendable, Equatable {
    /// `--cert` or `--key`.
    public var option: String
    /// The reason for people, without any part of a key.
    public var reason: String
  }

  /// The faults of the files, at least one.
  public struct Problems: Error, Sendable, Equatable, CustomStringConvertible {
    /// One problem per faulty file.
    public var all: [Problem]
    /// A line per problem.
    public var description: String { all.map { "\($0.option): \($0.reason)" }.joined(separator: "\n") }
  }

  let chain: [NIOSSLCertificate]
  let key: NIOSSLPrivateKey

  /// The largest file in bytes: a larger one is no certificate or key.
  private static let largest = 1 << 20

  /// Reads a chain of certificates, the client's own first, and the key of the client's, both in PEM. Both may be in
  /// one file.
  ///
  /// - Throws: ``Problems`` if a file cannot be read or used, or if the key belongs to another certificate.
  public init(certificateFile: String, keyFile: String) throws(Problems) {
    var problems: [Problem] = []
    func checked<T>(_ option: String, _ body: () throws(Reason) -> T) -> T? {
      do throws(Reason) { return try body() } catch {
        problems.append(Problem(option: option, reason: error.text))
        return nil
      }
    }
    let chain = checked("--cert") { () throws(Reason) in try Self.chain(certificateFile) }
    let key = checked("--key") { () throws(Reason) in try Self.key(keyFile) }
    guard let chain, let key else { throw Problems(all: problems) }
    self.chain = chain
    self.key = key
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.certificateVerification = .none
    configure(&configuration)
    guard (try? NIOSSLContext(configuration: configuration)) != nil else {
      throw Problems(all: [
        Problem(
          option: "--key",
          reason:
            "it is not the key of the first certificate in the file of --cert: give the two that belong together, "
            + "and in a chain the client's own certificate first")
      ])
    }
  }

  /// Makes connections show the certificate to servers that ask for one.
  func configure(_ configuration: inout TLSConfiguration) {
    configuration.certificateChain = chain.map { .certificate($0) }
    configuration.privateKey = .privateKey(key)
  }

  private struct Reason: Error {
    var text: String
  }

  private static func chain(_ path: String) throws(Reason) -> [NIOSSLCertificate] {
    let bytes = try read(path)
    guard let chain = try? NIOSSLCertificate.fromPEMBytes(bytes), !chain.isEmpty else {
      throw Reason(
        text: "'\(shown(path))' holds no certificate in PEM: make one of it with "
          + "'openssl x509 -inform DER -in FILE -out cert.pem', or of a .p12 with "
          + "'openssl pkcs12 -nokeys -in FILE -out cert.pem'")
    }
    return chain
  }

  private static func key(_ path: String) throws(Reason) -> NIOSSLPrivateKey {
    let bytes = try read(path)
    let text = String(decoding: bytes, as: UTF8.self)
    // PKCS #8 has the word in its label, older forms in a header.
    guard !text.contains("ENCRYPTED") else {
      throw Reason(
        text: "the key in '\(shown(path))' is encrypted, and nobody is asked for its passphrase: decrypt it with "
          + "'openssl pkey -in FILE -out key.pem' into a file that only you can read")
    }
    guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else {
      throw Reason(
        text: "'\(shown(path))' holds no private key in PEM: make one of it with "
          + "'openssl pkey -inform DER -in FILE -out key.pem', or of a .p12 with "
          + "'openssl pkcs12 -nocerts -nodes -in FILE -out key.pem'")
    }
    return key
  }

  private static func read(_ path: String) throws(Reason) -> [UInt8] {
    guard let data = try? Data(contentsOf: URL(filePath: path)) else {
      throw Reason(text: "'\(shown(path))' cannot be read: write the path of a PEM file that you may read")
    }
    guard data.count <= largest else { throw Reason(text: "'\(shown(path))' is too large for a PEM file") }
    return Array(data)
  }

  private static func shown(_ path: String) -> String { PlainText.ascii(path) }
}
