/// Takes secrets out of texts that people read: a gateway may repeat what it was sent.
package enum SecretText {
  /// The shortest beginning of a secret that is taken for one, in bytes.
  private static let shortest = 8

  /// `text` without `secrets`, written out or percent-encoded.
  ///
  /// What comes from outside is shown up to some byte, which may be in the middle of a secret: a beginning of one at the very
  /// end of the text, of eight bytes or more, is taken out too.
  package static func without(_ secrets: [String], in text: String) -> String {
    var text = text
    // A secret may be the beginning of another: the rest of that one would be left.
    let written = Set(secrets + secrets.map(PercentEncoding.encode)).filter { !$0.isEmpty }
    for secret in written.sorted(by: { ($0.utf8.count, $0) > ($1.utf8.count, $1) }) {
      text = text.replacing(secret, with: "…")
      guard let length = lengthOfBeginning(of: secret, atEndOf: text) else { continue }
      text = String(decoding: text.utf8.dropLast(length), as: UTF8.self) + "…"
    }
    return text
  }

  private static func lengthOfBeginning(of secret: String, atEndOf text: String) -> Int? {
    let (secret, end) = (Array(secret.utf8), Array(text.utf8.suffix(secret.utf8.count)))
    guard end.count >= shortest, secret.count > shortest else { return nil }
    let longest = min(end.count, secret.count - 1)
    return (shortest...longest).reversed().first { end.suffix($0).elementsEqual(secret.prefix($0)) }
  }
}
