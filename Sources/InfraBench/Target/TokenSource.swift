import FoundationEssentials
import Gateway
import Latency
import ProcessControl
import Synchronization
import Transport
import TextFormatting

/// The tokens of a run's users. Tokens are secrets: no output, result or error contains one.
package final class TokenSource: Sendable {
  private struct State {
    var tokens: [String]
    /// The tokens that were replaced, the last one at the end. A session keeps the token that it was opened with, so
    /// that later errors may still contain an old one.
    var replaced: [String] = []
    /// A redactor of the replaced tokens, made when it is first needed.
    var former: SecretRedactor?

    mutating func prepareFormer() -> SecretRedactor {
      let prepared = former ?? SecretRedactor(replaced)
      former = prepared
      return prepared
    }
    /// How often the tokens have been replaced.
    var generation: UInt64 = 0
  }

  private let state: Mutex<State>
  /// The words of the command that prints a token; nil: the tokens never change.
  private let command: [String]?

  private static let standInToken = "infrabench"

  /// The longest time of a command, and the most that it may print, in bytes.
  private static let (bound, largest): (Nanoseconds, Int) = (.seconds(30), 64 << 10)
  /// A token is replaced this long before it expires, in s, or after half its remaining life, whichever is later; but
  /// not before 1 s.
  private static let margin = 60.0
  /// The longest time that a token is used, in s: some 11 days.
  private static let longestUse = 1e6
  /// The number of replaced tokens that are kept.
  private static let mostReplaced = 1_000
  /// The longest pause before the command is run again after it printed a token that has expired.
  private static let longestRest: Nanoseconds = .seconds(60)

  /// Tokens that users take in turn; empty where the gateway asks for none.
  package init(_ tokens: [String]) {
    state = Mutex(State(tokens: tokens))
    command = nil
  }

  private init(command: [String], token: String) {
    state = Mutex(State(tokens: [token]))
    self.command = command
  }

  /// The source for `settings`; a command that prints the token is run now.
  ///
  /// - Throws: when the command fails, exceeds its bounds, or prints no token.
  package static func open(_ settings: TargetSettings) async throws(BenchmarkFailure) -> TokenSource {
    guard let command = settings.tokenCommand else {
      // The suite's own stand-in needs a token, and accepts any.
      if case .embedded = settings.gateway, settings.tokens.isEmpty, settings.profile?.session?.needsToken ?? false {
        return TokenSource([standInToken])
      }
      return TokenSource(settings.tokens)
    }
    return TokenSource(command: command, token: try await run(command))
  }

  /// The number of tokens.
  package var count: Int { state.withLock { $0.tokens.count } }

  /// How often tokens have been replaced.
  package var generation: UInt64 { state.withLock { $0.generation } }

  /// Whether a command prints the token, so that it may change.
  var isRenewed: Bool { command != nil }

  /// The token of user `number`; nil where there are none.
  package func token(ofUser number: Int) -> String? {
    state.withLock { $0.tokens.isEmpty ? nil : $0.tokens[number % $0.tokens.count] }
  }

  /// `text` without any token in it, encoded or not.
  ///
  /// - Parameter number: the user whose connection the text came by: only that user's token is searched for, as there
  ///   may be very many others; nil: all tokens.
  package func withoutTokens(_ text: String, ofUser number: Int? = nil) -> String {
    secrets(ofUser: number).removed(from: text)
  }

  /// A redactor of the token of user `number`, or of all tokens, and of the replaced ones.
  func secrets(ofUser number: Int?) -> SecretRedactor {
    let (tokens, former): ([String], SecretRedactor) = state.withLock { state in
      let former = state.prepareFormer()
      guard let number, !state.tokens.isEmpty else { return (state.tokens, former) }
      return ([state.tokens[number % state.tokens.count]], former)
    }
    return SecretRedactor(tokens).adding(former)
  }

  /// A redactor of the replaced tokens.
  var former: SecretRedactor { state.withLock { $0.prepareFormer() } }

  /// Replaces the token each time before it expires, until the task is cancelled. Returns at once where no token
  /// expires.
  package func renew(_ bench: RunContext) async {
    guard let command else { return }
    var rest = self.rest(after: .zero, bench)
    while let pause = pause, (try? await Task.sleep(for: max(pause, rest))) != nil {
      do throws(BenchmarkFailure) {
        let token = try await Self.run(command)
        replace(by: token)
        rest = self.rest(after: rest, bench)
      } catch {
        guard !Task.isCancelled else { return }
        bench.note("the token could not be renewed: \(error)")
        // The old token is used as long as the gateway accepts it.
        guard (try? await Task.sleep(for: .seconds(5) as Nanoseconds)) != nil else { return }
      }
    }
  }

  func replace(by token: String) {
    state.withLock {
      guard $0.tokens != [token] else { return }
      $0.generation += 1
      $0.replaced = Array(($0.replaced + $0.tokens).suffix(Self.mostReplaced))
      $0.former = nil
      $0.tokens = [token]
    }
  }

  /// The shortest pause before the command is run again: zero unless it has just printed an expired token.
  private func rest(after last: Nanoseconds, _ bench: RunContext) -> Nanoseconds {
    guard let token = token(ofUser: 0), let expiry = Self.expiry(of: token) else { return .zero }
    let rest = Self.rest(after: last, left: expiry - Date().timeIntervalSince1970)
    if rest > .zero { bench.note("--token-command: the command printed a token that has expired") }
    return rest
  }

  /// The shortest pause after a token that had `left` s to live: zero, or for an expired token twice the last pause.
  static func rest(after last: Nanoseconds, left: Double) -> Nanoseconds {
    left > 0 ? .zero : min(max(last, .seconds(1)) * 2, longestRest)
  }

  /// The time until the token must be replaced; nil where it never expires.
  private var pause: Nanoseconds? {
    guard let token = token(ofUser: 0), let expiry = Self.expiry(of: token) else { return nil }
    return Self.pause(until: expiry, now: Date().timeIntervalSince1970)
  }

  /// How long a token that expires at `expiry` is used; `expiry` and `now` are in s since 1970.
  static func pause(until expiry: Double, now: Double) -> Nanoseconds {
    let left = expiry - now
    return .seconds(min(max(1, left - Self.margin, left / 2), longestUse))
  }

  /// When a JWT (RFC 7519) expires, in s since 1970; nil for another token, and for one without `exp`.
  static func expiry(of token: String) -> Double? {
    claims(of: token)?.exp.flatMap { $0 > 0 && $0 < 1e11 ? $0 : nil }
  }

  /// The user whom a JWT is about; nil for another token, and for one without `sub`.
  static func subject(of token: String) -> String? { claims(of: token)?.sub }

  private struct Claims: Decodable {
    var exp: Double?
    var sub: String?

    private enum CodingKeys: CodingKey { case exp, sub }

    /// A claim of a wrong type counts as absent.
    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      exp = try? fields.decode(Double.self, forKey: .exp)
      sub = try? fields.decode(String.self, forKey: .sub)
    }
  }

  private static func claims(of token: String) -> Claims? {
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3 else { return nil }
    // Base64url without padding (RFC 7515, section 2).
    var base64 = parts[1].replacing("-", with: "+").replacing("_", with: "/")
    base64 += String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4)
    guard let data = Data(base64Encoded: String(base64)) else { return nil }
    return try? JSONDecoder().decode(Claims.self, from: data)
  }

  /// A token for the suite's own stand-in, which checks no signature: a JWT that is about `user`.
  static func ofStandIn(for user: String) -> String {
    func part(_ json: String) -> String {
      Data(json.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
    return "\(part(#"{"alg":"none"}"#)).\(part(#"{"sub":"\#(user)"}"#)).none"
  }

  private static func run(_ command: [String]) async throws(BenchmarkFailure) -> String {
    let request = ProcessRequest(
      executable: command[0], arguments: Array(command.dropFirst()), standardInput: .null, diesWithParent: true)
    let result = await BoundedProcess.run(
      request, timeout: bound, maximumBytes: largest)
    let output: BoundedProcess.Output
    switch result {
    case .success(let value): output = value
    case .failure(let failure): throw BenchmarkFailure("--token-command: \(failure)")
    }
    guard output.status == .exited(0) else {
      // Its output is not shown, as it may hold a secret.
      throw BenchmarkFailure(
        "--token-command: '\(command[0])' ended with \(output.status): run it by itself to see why")
    }
    let token = String(decoding: output.standardOutput, as: UTF8.self).trimming(while: \.isWhitespace)
    guard !token.isEmpty, OptionReader.isFieldValue(token) else {
      throw BenchmarkFailure("--token-command: it printed no token: one line of printable ASCII is expected")
    }
    return token
  }
}

/// The headers that all users of a run send, and the token of each user.
final class UserCredentials: Sendable {
  let tokens: TokenSource
  private let endpoint: Endpoint
  private let shared: [SecretHeader]
  private let callForms: GatewayCallForms
  /// By the index of a token: the requests with this token, of one generation of tokens.
  private let written: Mutex<(generation: UInt64, requests: [Int: GatewayRequests])>

  init(to endpoint: Endpoint, headers: [SecretHeader], tokens: TokenSource, callForms: GatewayCallForms) {
    self.endpoint = endpoint
    shared = headers
    self.tokens = tokens
    self.callForms = callForms
    written = Mutex((0, [:]))
  }

  /// The requests of user `number`, with its present token.
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

  /// `text` without the secrets that user `number` sends: tokens and the values of header fields. The text must not be
  /// cut before, as a part of a secret would not be found.
  func withoutSecrets(_ text: String, user number: Int) -> String {
    requests(ofUser: number).secrets.adding(tokens.secrets(ofUser: number)).removed(from: text)
  }

  /// Gives a client its present requests before each call; nil where they never change.
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
      to: endpoint, headers: headers(ofUser: number).map { ($0.name, $0.value) }, callForms: callForms,
      token: tokens.token(ofUser: number), formerTokens: tokens.former)
  }
}
