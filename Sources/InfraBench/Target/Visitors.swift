import SessionGateway
import Synchronization
import Transport

/// The users of a run as the gateway knows them: the headers that all send, and each one's token.
final class Visitors: Sendable {
  let tokens: TokenSource
  private let endpoint: Endpoint
  private let shared: [SecretHeader]
  private let speech: GatewaySpeech
  /// The requests with each token, of one generation of tokens.
  private let written: Mutex<(generation: UInt64, requests: [GatewayRequests])>

  init(to endpoint: Endpoint, headers: [SecretHeader], tokens: TokenSource, speech: GatewaySpeech) {
    self.endpoint = endpoint
    shared = headers
    self.tokens = tokens
    self.speech = speech
    written = Mutex((0, []))
  }

  /// The requests of user `number`, with the token that it has by now.
  func requests(ofUser number: Int) -> GatewayRequests {
    let generation = tokens.generation
    return written.withLock { written in
      if written.requests.isEmpty || written.generation != generation {
        written = (generation, (0..<max(1, tokens.count)).map(write))
      }
      return written.requests[number % written.requests.count]
    }
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
      token: tokens.token(ofUser: number))
  }
}
