/// A program to start, with its arguments, environment and standard streams.
public struct ProcessRequest: Sendable {
  /// The target of one of the child's three standard streams.
  public enum Stream: Sendable {
    /// The stream of this process.
    case inherit
    /// `/dev/null`.
    case null
    /// A new pipe, whose other end is in the ``ChildProcess``.
    case pipe
    /// A descriptor of the caller. It may be closed after the spawn.
    case descriptor(OwnedDescriptor)
  }

  /// A path, or a name that is searched in this process' `PATH`. A relative path is resolved in `workingDirectory`.
  public var executable: String
  /// The arguments without the program's name, which is `executable`.
  public var arguments: [String]
  /// The whole environment; nil inherits that of this process.
  public var environment: [String: String]?
  /// The working directory; nil inherits that of this process.
  public var workingDirectory: String?
  /// The child's standard input.
  public var standardInput: Stream
  /// The child's standard output.
  public var standardOutput: Stream
  /// The child's standard error.
  public var standardError: Stream
  /// Whether the child gets a pipe as its descriptor 3, for messages to this process that do not belong in its output.
  /// Our end is ``ChildProcess/reports``. The pipe is also a lifeline: the child sees when our end is closed.
  public var reports = false
  /// Whether the child gets SIGKILL as soon as this process ends, in whichever way. Together with
  /// ``endsGroupWithLeader`` the child's whole process group gets it; otherwise the child's own children do not.
  public var diesWithParent: Bool
  /// Whether the rest of the child's process group is killed when the child ends.
  public var endsGroupWithLeader: Bool
  /// Signals that the child ignores from its start. All other signals have their default action, independent of their
  /// handling in this process.
  public var ignoredSignals: Set<Int32> = []

  /// The user and the group that the child becomes, without supplementary groups; nil: those of this process. Only root
  /// can start a child under another user.
  public var user: UInt32?

  /// Makes a request; by default the streams are inherited.
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
  /// It exited with this code (0–255).
  case exited(Int32)
  /// This signal ended it.
  case signaled(Int32)
  /// Another part of the program reaped it, so its status is lost.
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

/// Splits a command line into words like a shell: blanks separate words, quotes and backslashes keep characters
/// together. Nothing is expanded; a user who needs a shell writes `sh -c '…'`.
public enum ShellWords {
  /// Why a line is no command. The message does not repeat the line, which may hold a secret.
  public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
    /// For people.
    public let description: String
  }

  /// Joins words to a line that ``split(_:)`` splits into the words again.
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
        // Between double quotes a backslash is a literal character, unless it stands before a double quote or a
        // backslash.
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
