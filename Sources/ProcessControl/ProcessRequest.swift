/// What to start, and with which standard streams.
public struct ProcessRequest: Sendable {
  /// Where one of the child's three standard streams leads.
  public enum Stream: Sendable {
    /// The same as this process' own.
    case inherit
    /// `/dev/null`.
    case null
    /// A new pipe, whose other end is on the ``ChildProcess``.
    case pipe
    /// A descriptor of the caller's, who keeps it; it need not survive the spawn.
    case descriptor(OwnedDescriptor)
  }

  /// A path, or a name that is looked up in this process' `PATH`. A relative path is resolved in `workingDirectory`.
  public var executable: String
  /// Without the program's own name, which is `executable`.
  public var arguments: [String]
  /// The whole environment; nil inherits this process' own.
  public var environment: [String: String]?
  /// nil inherits.
  public var workingDirectory: String?
  /// What the child reads.
  public var standardInput: Stream
  /// Where the child writes.
  public var standardOutput: Stream
  /// Where the child complains.
  public var standardError: Stream
  /// Whether the child has a pipe as its descriptor 3, on which it tells us things that are for no reader of its output. Our end
  /// is ``ChildProcess/reports``; it is also a lifeline: the child sees when nobody holds it any more.
  public var reports = false
  /// SIGKILL for the child as soon as this process ends, however it ends. Together with ``endsGroupWithLeader`` for the child's
  /// whole process group; else not for the child's own children.
  public var diesWithParent: Bool
  /// When the child ends, what is left in its process group is killed.
  public var endsGroupWithLeader: Bool
  /// Signals that the child ignores from its first moment on; all others have their default action, whatever this process
  /// does with them.
  public var ignoredSignals: Set<Int32> = []

  /// Makes a request; the streams are inherited unless said otherwise.
  public init(
    executable: String, arguments: [String] = [], environment: [String: String]? = nil,
    workingDirectory: String? = nil, standardInput: Stream = .inherit, standardOutput: Stream = .inherit,
    standardError: Stream = .inherit, diesWithParent: Bool = false, endsGroupWithLeader: Bool = false
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.workingDirectory = workingDirectory
    self.standardInput = standardInput
    self.standardOutput = standardOutput
    self.standardError = standardError
    self.diesWithParent = diesWithParent
    self.endsGroupWithLeader = endsGroupWithLeader
  }
}

/// How a process ended.
public enum ExitStatus: Sendable, Equatable, CustomStringConvertible {
  /// By itself, with this code (0–255).
  case exited(Int32)
  /// By this signal.
  case signaled(Int32)
  /// Somebody else reaped it, so nobody can say.
  case unknown

  /// For people.
  public var description: String {
    switch self {
    case .exited(let code): "exit code \(code)"
    case .signaled(let number): "signal \(number)"
    case .unknown: "an unknown exit status"
    }
  }
}

/// Splits a command line into words as a shell does, without being one: blanks separate, quotes and backslashes keep
/// together; nothing is expanded. Whoever wants a shell writes `sh -c '…'`.
public enum ShellWords {
  /// Why a line is no command. The line itself is not repeated: it may hold a secret.
  public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
    /// For people.
    public let description: String
  }

  /// A line whose words are `words`, whatever is in them.
  public static func joined(_ words: [String]) -> String {
    words.map { word in
      "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }.joined(separator: " ")
  }

  /// The words of `line`; at least one.
  ///
  /// - Throws: ``Failure`` for an empty line, an open quote, or a backslash at the end.
  public static func split(_ line: String) throws(Failure) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var characters = line.makeIterator()
    while let character = characters.next() {
      switch (quote, character) {
      case (nil, " "), (nil, "\t"), (nil, "\n"), (nil, "\r"), (nil, "\r\n"):
        if let finished = word { words.append(finished) }
        word = nil
      case (nil, "'"), (nil, "\""):
        quote = character
        word = word ?? ""
      case (let open?, character) where open == character: quote = nil
      case (nil, "\\"), ("\"", "\\"):
        guard let next = characters.next() else { throw Failure(description: "the command ends with a backslash") }
        // Between double quotes a backslash is one unless it stands before what would otherwise mean something.
        let isLiteral = quote != nil && next != "\"" && next != "\\"
        word = (word ?? "") + (isLiteral ? "\\" : "") + String(next)
      default: word = (word ?? "") + String(character)
      }
    }
    guard quote == nil else { throw Failure(description: "a quote in the command is not closed") }
    if let word { words.append(word) }
    guard !words.isEmpty else { throw Failure(description: "the command is empty") }
    return words
  }
}
