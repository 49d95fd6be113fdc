import Crypto
import FoundationEssentials
import Gateway
import Latency

/// A client's token and its claims. Only this type parses tokens; their text is never logged or passed on.
struct Token {
  /// The longest accepted token, in bytes.
  static let maximumLength = 8192

  let text: String
  /// The claim `exp` of a JWT (RFC 7519), seconds since 1970; `nil` without it.
  let expiresAt: Double?
  /// The claim `sub` of a JWT; `nil` without it.
  let subject: String?

  /// `nil` for a text that cannot be a token.
  init?(_ text: some StringProtocol) {
    guard Self.isPossible(text) else { return nil }
    self.text = String(text)
    let claims = Self.claims(text)
    expiresAt = claims?.exp
    subject = claims?.sub
  }

  /// Whether the text is 1 to 8192 printable ASCII characters without spaces.
  static func isPossible(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.count <= maximumLength && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
  }

  /// The user's id: the subject where it is a valid id, else a digest of the token, from which the token cannot be
  /// recovered.
  var userID: String {
    if let subject, UserID.isValid(subject) { return subject }
    let digest = SHA256.hash(data: Data((subject ?? text).utf8))
    return "user-" + digest.prefix(8).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }

  private struct Claims: Decodable {
    let exp: Double?
    let sub: String?

    enum CodingKeys: String, CodingKey { case exp, sub }

    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      exp = try? fields.decodeIfPresent(Double.self, forKey: .exp)
      sub = try? fields.decodeIfPresent(String.self, forKey: .sub)
    }
  }

  /// The claims of a JWT. Its signature is not checked, because this gateway protects nothing but its own tasks.
  private static func claims(_ text: some StringProtocol) -> Claims? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
    var base64 = parts[1].map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
    while base64.count % 4 != 0 { base64.append("=") }
    guard let data = Data(base64Encoded: String(base64)) else { return nil }
    return try? JSONDecoder().decode(Claims.self, from: data)
  }
}

/// The rights of a token's bearer.
enum TokenVerdict: Equatable {
  case accepted, missing, unknown, expired
}

/// Judges tokens: a pure value; instants are passed in.
struct TokenVerifier {
  /// The most first uses that are remembered; beyond it the oldest are dropped.
  static let maximumUses = 100_000

  private let rules: TokenRules
  private var firstUses: [String: Instant] = [:]
  private var order = OrderedQueue<String>()

  init(rules: TokenRules) {
    self.rules = rules
  }

  /// Judges `token` at the present instant.
  ///
  /// - Parameter wallClock: seconds since 1970.
  mutating func verdict(on token: Token, now: Instant, wallClock: Double) -> TokenVerdict {
    if let known = rules.known {
      guard let hasExpired = known[token.text] else { return .unknown }
      if hasExpired { return .expired }
    }
    if let expiresAt = token.expiresAt, expiresAt <= wallClock { return .expired }
    guard let lifetime = rules.lifetime else { return .accepted }
    return now - firstUse(of: token.text, now: now) < lifetime ? .accepted : .expired
  }

  private mutating func firstUse(of token: String, now: Instant) -> Instant {
    if let first = firstUses[token] { return first }
    firstUses[token] = now
    order.append(token)
    while order.count > Self.maximumUses, let oldest = order.removeFirst() { firstUses[oldest] = nil }
    return now
  }
}
