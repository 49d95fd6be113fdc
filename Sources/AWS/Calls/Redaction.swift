/// Takes secrets out of text that a service wrote: services echo what was signed, whole or cut off.
struct Redaction: Sendable {
  private static let replacement = Array("[redacted]".utf8)
  private static let stemLength = 8

  /// The beginnings of the secrets, plain and percent-encoded. A beginning is enough: an echo may be cut off.
  private let stems: [[UInt8]]

  /// - Parameter accessKeyID: no secret, but what scanners for secrets look for; only one as long as AWS's are (16 and up), as
  ///   test servers' ids are ordinary words.
  init(_ secrets: [String], accessKeyID: String? = nil) {
    let ids = accessKeyID.map { $0.utf8.count < 16 ? [] : [$0] } ?? []
    stems = (secrets + ids).filter { !$0.isEmpty }
      .flatMap { [Array($0.utf8), Redaction.percentEncoded($0)] }
      .map { Array($0.prefix(Redaction.stemLength)) }
  }

  /// The text without words that begin like a secret, and without values of `Authorization`.
  func text(_ text: String) -> String {
    String(decoding: withoutAuthorization(withoutSecrets(Array(text.utf8))), as: UTF8.self)
  }

  private func withoutSecrets(_ bytes: [UInt8]) -> [UInt8] {
    guard !stems.isEmpty else { return bytes }
    var result: [UInt8] = []
    var rest = bytes[...]
    while let first = rest.first {
      guard let stem = stems.first(where: { rest.starts(with: $0) }) else {
        result.append(first)
        rest = rest.dropFirst()
        continue
      }
      result += Redaction.replacement
      // To the word's end: its further characters may be escaped in some way.
      rest = rest.dropFirst(stem.count).drop { !Redaction.endsWord($0) }
    }
    return result
  }

  /// `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…` gives what follows it.
  private func withoutAuthorization(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var rest = bytes[...]
    while let start = rest.firstRange(of: "AWS4-HMAC-SHA256 Credential=".utf8) {
      result += rest[..<start.lowerBound] + Redaction.replacement
      let signature = rest[start.upperBound...].firstRange(of: "Signature=".utf8)
      rest = signature.map { rest[$0.upperBound...].drop { !Redaction.endsWord($0) } } ?? []
    }
    return result + rest
  }

  private static func endsWord(_ byte: UInt8) -> Bool {
    byte <= 0x20 || "\"'<>,)".utf8.contains(byte)
  }

  private static func percentEncoded(_ text: String) -> [UInt8] {
    let digits = Array("0123456789ABCDEF".utf8)
    return text.utf8.flatMap { byte -> [UInt8] in
      let isPlain = byte > 0x20 && byte < 0x7f && !"/+=%".utf8.contains(byte)
      return isPlain ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
  }
}
