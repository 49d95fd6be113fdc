public import Latency

/// Makes the gateway answer as the product's session gateway does: REST sessions, tokens, streamed answers, lazy starts
/// (spec: gateway-profiles).
public struct ProductProfile: Sendable, Equatable {
  /// Which tokens are accepted.
  public var tokens = TokenRules()
  /// How long a client may send nothing before it is cut off.
  public var pingTimeout: Nanoseconds = .seconds(60)
  /// How long a WebSocket may carry no byte either way before it is cut, as a load balancer cuts it; `nil` for ever.
  public var idleTimeout: Nanoseconds?
  /// How long a session and its task live on after its WebSocket's death.
  public var keepSessions: Nanoseconds = .seconds(30)
  /// How long a session that was made by REST waits for its first WebSocket.
  public var keepUnattached: Nanoseconds = .seconds(3600)
  /// The most sessions at a time.
  public var maximumSessions = 10_000
  /// The most messages of a session that wait for their turn.
  public var maximumQueuedMessages = 32
  /// The most bytes of these.
  public var maximumQueuedBytes = 256 * 1024
  /// What may wait for a client to come back before the task is read no longer, in bytes.
  public var maximumHeldBytes = 256 * 1024
  /// The longest line of the task's program, in bytes.
  public var maximumLineBytes = 512 * 1024

  /// The defaults: any token, pings within 60 s, sessions kept for 30 s.
  public init() {}
}

/// Which tokens the product's profile accepts.
public struct TokenRules: Sendable, Equatable {
  /// The tokens that are known, each with whether it has expired; `nil`: every token is.
  public var known: [String: Bool]?
  /// How long a token is valid after its first use; `nil` for ever.
  public var lifetime: Nanoseconds?

  /// Any token, for ever.
  public init() {}

  /// Reads a file of tokens: one a line, `expired` behind it where it is to be refused; empty lines and lines that begin with
  /// `#` are passed over.
  ///
  /// - Throws: ``ParseError`` with the numbers of the lines that are none, or where there is no token at all. It
  ///   repeats no token.
  public static func known(in text: String) throws -> [String: Bool] {
    var known: [String: Bool] = [:]
    var wrong: [Int] = []
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let words = line.split { $0 == " " || $0 == "\t" }
      guard let token = words.first, !token.hasPrefix("#") else { continue }
      if Token.isPossible(token), words.count == 1 || words.dropFirst() == ["expired"] {
        known[String(token)] = words.count == 2
      } else {
        wrong.append(index + 1)
      }
    }
    guard wrong.isEmpty else {
      let lines = wrong.prefix(5).map(String.init).joined(separator: ", ")
      throw ParseError("line \(lines): a line is a token, alone or with 'expired' behind it")
    }
    guard !known.isEmpty else { throw ParseError("it holds no token") }
    return known
  }

  /// What is wrong with a file of tokens.
  public struct ParseError: Error, CustomStringConvertible {
    /// For people.
    public let description: String

    init(_ description: String) { self.description = description }
  }
}
