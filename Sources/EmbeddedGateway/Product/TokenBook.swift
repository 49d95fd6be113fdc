/// Judges tokens: a pure value; instants are passed in.
struct TokenBook {
  /// The most first uses that are remembered; the oldest are forgotten.
  static let maximumUses = 100_000

  private let rules: TokenRules
  private var firstUses: [String: UInt64] = [:]
  private var order = OrderedQueue<String>()

  init(rules: TokenRules) {
    self.rules = rules
  }

  /// What `token` entitles its bearer to now.
  ///
  /// - Parameters:
  ///   - now: monotonic, in ns.
  ///   - wallClock: seconds since 1970.
  mutating func verdict(on token: Token, now: UInt64, wallClock: Double) -> TokenVerdict {
    if let known = rules.known {
      guard let hasExpired = known[token.text] else { return .unknown }
      if hasExpired { return .expired }
    }
    if let expiresAt = token.expiresAt, expiresAt <= wallClock { return .expired }
    guard let lifetime = rules.lifetime else { return .accepted }
    return now - firstUse(of: token.text, now: now) < lifetime ? .accepted : .expired
  }

  private mutating func firstUse(of token: String, now: UInt64) -> UInt64 {
    if let first = firstUses[token] { return first }
    firstUses[token] = now
    order.append(token)
    while order.count > Self.maximumUses, let oldest = order.removeFirst() { firstUses[oldest] = nil }
    return now
  }
}
