import FoundationEssentials

/// One thing that a tool tells the bench-suite that runs it: a line of JSON on a pipe of its own.
///
/// A listing of the output folder could not tell whose results are there: two suites may write into one folder.
enum ToolReport: Codable, Equatable {
  /// A run's document is at this path, as the tool itself would open it.
  case result(file: String)
  /// What the tool says as an error on standard error, without the word.
  case error(String)

  /// The longest message that is passed on, in bytes: a line must never fill the pipe.
  private static let longestMessage = 4_000

  private enum Key: String, CodingKey { case event, file, message }
  private enum Event: String, Codable { case result, error }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    switch self {
    case .result(let file):
      try container.encode(Event.result, forKey: .event)
      try container.encode(file, forKey: .file)
    case .error(let message):
      try container.encode(Event.error, forKey: .event)
      try container.encode(String(decoding: message.utf8.prefix(Self.longestMessage), as: UTF8.self), forKey: .message)
    }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    switch try container.decode(Event.self, forKey: .event) {
    case .result: self = .result(file: try container.decode(String.self, forKey: .file))
    case .error: self = .error(try container.decode(String.self, forKey: .message))
    }
  }

  /// With a line feed at its end; nil where it can't be written as JSON.
  var line: String? {
    (try? JSONEncoder().encode(self)).map { String(decoding: $0, as: UTF8.self) + "\n" }
  }

  /// What a line says; nil of any other line.
  init?(line: some StringProtocol) {
    guard let report = try? JSONDecoder().decode(ToolReport.self, from: Data(line.utf8)) else { return nil }
    self = report
  }
}
