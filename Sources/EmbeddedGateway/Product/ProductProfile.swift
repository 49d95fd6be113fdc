public import Latency

/// The settings of the product's session gateway: REST sessions, tokens, streamed answers, lazy starts (spec:
/// gateway-profiles). With them the embedded gateway answers as it does.
public struct ProductProfile: Sendable, Equatable {
  /// The rules for accepting tokens.
  public var tokens = TokenRules()
  /// The time-out of a client that sends nothing.
  public var pingTimeout: Nanoseconds = .seconds(60)
  /// The time after which a WebSocket without a byte either way is cut, as a load balancer does; `nil` for never.
  public var idleTimeout: Nanoseconds?
  /// The time that a session and its task are kept after the session's WebSocket has closed.
  public var keepSessions: Nanoseconds = .seconds(30)
  /// The time that a session made by REST waits for its first WebSocket.
  public var keepUnattached: Nanoseconds = .seconds(3600)
  /// The most sessions at the same time.
  public var maximumSessions = 10_000
  /// The most messages of a session that wait for their turn.
  public var maximumQueuedMessages = 32
  /// The most bytes of a session's waiting messages.
  public var maximumQueuedBytes = 256 * 1024
  /// The bytes held back for a disconnected client beyond which the task is no longer read.
  public var maximumHeldBytes = 256 * 1024
  /// The longest line of the task's program, in bytes.
  public var maximumLineBytes = 512 * 1024

  /// The defaults: any token, pings within 60 s, sessions kept for 30 s.
  public init() {}
}

/// The product's rules for accepting tokens.
public struct TokenRules: Sendable, Equatable {
  /// The known tokens, each with whether it has expired; `nil`: every token is known.
  public var known: [String: Bool]?
  /// The validity of a token after its first use; `nil` for ever.
  public var lifetime: Nanoseconds?

  /// Makes rules that accept any token for ever.
  public init() {}

  /// Reads a file of tokens: one a line, followed by `expired` where it is to be refused. Empty lines and lines that
  /// begin with `#` are ignored.
  ///
  /// - Throws: ``ParseError`` with the numbers of the malformed lines, or for a file without a token. It repeats no
  ///   token.
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

  /// The errors in a file of tokens.
  public struct ParseError: Error, CustomStringConvertible {
    /// The message for the user.
    public let description: String

    init(_ description: String) { self.description = description }
  }
}
