import Gateway
import Synchronization
import Transport

/// The users of a run as the gateway knows them: the headers that all send, and each one's token.
final class Visitors: Sendable {
  let tokens: TokenSource
  private let endpoint: Endpoint
  private let shared: [SecretHeader]
  private let speech: GatewaySpeech
  /// The requests with each token that was asked for, by the token's place, of one generation of tokens.
  private let written: Mutex<(generation: UInt64, requests: [Int: GatewayRequests])>

  init(to endpoint: Endpoint, headers: [SecretHeader], tokens: TokenSource, speech: GatewaySpeech) {
    self.endpoint = endpoint
    shared = headers
    self.tokens = tokens
    self.speech = speech
    written = Mutex((0, [:]))
  }

  /// The requests of user `number`, with the token that it has by now.
  func requests(ofUser number: Int) -> GatewayRequests {
    let generation = tokens.generation
    let place = number % max(1, tokens.count)
    return written.withLock { written in
      if written.generation != generation { written = (generation, [:]) }
      if let known = written.requests[place] { return known }
      let new = write(place)
      written.requests[place] = new
      return new
    }
  }

  /// `text` without what user `number` sends and nobody else is to know: tokens and the values of header fields. The text is
  /// to be a whole one: what is cut comes afterwards.
  func withoutSecrets(_ text: String, user number: Int) -> String {
    requests(ofUser: number).secrets.adding(tokens.secrets(ofUser: number)).removed(from: text)
  }

  /// How a client gets its requests anew for each call; nil where they stay the same.
  func renewal(ofUser number: Int) -> (@Sendable () -> GatewayRequests)? {
    guard tokens.isRenewed else { return nil }
    return { self.requests(ofUser: number) }
  }

  /// The headers that user `number` sends.
  func headers(ofUser number: Int) -> [SecretHeader] {
    guard !shared.contains(where: { $0.name.lowercased() == "authorization" }), let token = tokens.token(ofUser: number)
    else { return shared }
    return shared + [.bearer(token)]
  }

  private func write(_ number: Int) -> GatewayRequests {
    GatewayRequests(
      to: endpoint, headers: headers(ofUser: number).map { ($0.name, $0.value) }, speech: speech,
      token: tokens.token(ofUser: number), formerTokens: tokens.former)
  }
}
