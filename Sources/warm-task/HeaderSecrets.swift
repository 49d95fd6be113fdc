import Transport
import WarmTask

/// Takes the values of `--header` out of what a gateway says, which may repeat them.
struct HeaderSecrets: Sendable {
  /// The shortest beginning of a secret that is taken for one, in bytes.
  private static let shortest = 8

  /// As they would be shown, the longest first: one may be the beginning of another.
  private let secrets: [String]

  init(_ headers: [(String, String)]) {
    // In `Bearer abc` the token alone is the secret too.
    let values = headers.flatMap { [$0.1] + $0.1.split(separator: " ").suffix(1).map(String.init) }
    secrets = Set(values.map { PlainLine.of($0) }).filter { !$0.isEmpty }
      .sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
  }

  /// `text` with "…" for each of them, and for the beginning of one at its end, where it may have been cut.
  func removed(from text: String) -> String {
    var text = text
    for secret in secrets {
      text = text.replacing(secret, with: "…")
      guard let length = lengthOfBeginning(of: secret, atEndOf: text) else { continue }
      text = String(decoding: text.utf8.dropLast(length), as: UTF8.self) + "…"
    }
    return text
  }

  private func lengthOfBeginning(of secret: String, atEndOf text: String) -> Int? {
    let (secret, end) = (Array(secret.utf8), Array(text.utf8.suffix(secret.utf8.count)))
    guard end.count >= Self.shortest, secret.count > Self.shortest else { return nil }
    let longest = min(end.count, secret.count - 1)
    return (Self.shortest...longest).reversed().first { end.suffix($0).elementsEqual(secret.prefix($0)) }
  }
}

extension TaskOutcome {
  /// What went wrong, for people; nil for a life that went as it should.
  func failure(without secrets: HeaderSecrets) -> String? {
    switch self {
    case .notConnected(let error), .connectionLost(let error): error.words(without: secrets)
    case .initFailed(let why): why
    case .retired, .released, .processEnded, .stopped: nil
    }
  }
}

extension WebSocketError {
  /// Its description, what the gateway itself says in it without secrets. A short secret must not spoil the words around.
  fileprivate func words(without secrets: HeaderSecrets) -> String {
    switch self {
    case .upgradeRefused(var refusal):
      let status = "status \(refusal.response.status)"
      refusal.words = status + secrets.removed(from: String(refusal.words.dropFirst(status.count)))
      return WebSocketError.upgradeRefused(refusal).description
    case .closed(let code, let reason):
      let said = secrets.removed(from: PlainLine.of(reason))
      return WebSocketError.closed(code: code, reason: "").description + (said.isEmpty ? "" : " (\(said))")
    default: return description
    }
  }
}
