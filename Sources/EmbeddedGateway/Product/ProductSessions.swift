import Latency

/// The sessions of the product's profile, and who may have them. Confined to the core's event loop.
final class ProductSessions {
  private let profile: ProductProfile
  private unowned let core: GatewayCore
  private var tokens: TokenBook
  private var hosts: [String: ProductSessionHost] = [:]

  init(profile: ProductProfile, core: GatewayCore) {
    self.profile = profile
    self.core = core
    tokens = TokenBook(rules: profile.tokens)
  }

  func verdict(on token: Token) -> TokenVerdict {
    tokens.verdict(on: token, now: MonotonicClock.now(), wallClock: WallClock.now())
  }

  /// The token that a request shows, if it is accepted.
  func accepted(_ text: String?) throws(ProductRefusal) -> Token {
    guard let text, !text.isEmpty else { throw TokenVerdict.missing.refusal ?? .noSession }
    guard let token = Token(text) else { throw TokenVerdict.unknown.refusal ?? .noSession }
    if let refusal = verdict(on: token).refusal { throw refusal }
    return token
  }

  /// The handler that takes the WebSocket at `uri`. That a token has expired is said on the WebSocket, as the product does it.
  func socket(for uri: String) throws(ProductRefusal) -> ProductSocket {
    let query = QueryItems(uri: uri)
    guard let text = query["token"], !text.isEmpty else { throw TokenVerdict.missing.refusal ?? .noSession }
    guard let token = Token(text), verdict(on: token) != .unknown else {
      throw TokenVerdict.unknown.refusal ?? .noSession
    }
    let id = query["session"].flatMap { $0.isEmpty ? nil : $0 }
    if let id { _ = try session(id, shown: token) } else { try checkRoom() }
    return ProductSocket(sessions: self, token: token, sessionID: id)
  }

  /// A session by its id, which nobody can guess. Where its token and the one that is shown name subjects, they are the same.
  func session(_ id: String, shown token: Token) throws(ProductRefusal) -> ProductSessionHost {
    guard let host = hosts[id] else { throw .noSession }
    if let own = host.subject, let other = token.subject, own != other { throw .noSession }
    return host
  }

  /// The session that a WebSocket is for: the one with this id, or a new one.
  func open(_ id: String?, token: Token) throws(ProductRefusal) -> ProductSessionHost {
    if let refusal = verdict(on: token).refusal { throw refusal }
    if let id { return try session(id, shown: token) }
    return try create(userID: token.userID, token: token, isFromREST: false)
  }

  func create(userID: String, token: Token, isFromREST: Bool) throws(ProductRefusal) -> ProductSessionHost {
    try checkRoom()
    let host = ProductSessionHost(
      id: RandomText.hex(digits: 32), userID: userID, subject: token.subject, isFromREST: isFromREST, core: core,
      profile: profile
    ) { [weak self] id in self?.hosts[id] = nil }
    hosts[host.id] = host
    return host
  }

  private func checkRoom() throws(ProductRefusal) {
    guard !core.pool.isShutDown else { throw .stopping }
    guard hosts.count < profile.maximumSessions else { throw .tooManySessions }
  }

  /// The end: every session is told and over.
  func stop() {
    for host in Array(hosts.values) { host.stop() }
  }
}
