package import FoundationEssentials
package import Transport
package import Latency
import TextFormatting

/// Turns what the user wrote into values. Each mistake goes to `problems`, and reading goes on with a harmless value.
package struct OptionReader {
  /// The process environment, or a test's.
  package let environment: [String: String]
  /// The time at which the options are read.
  let now: Date
  /// The problems found so far.
  package var problems: Problems

  /// - Parameter scenario: The file whose options are read too; its own problems are reported with the rest.
  package init(environment: [String: String], scenario: ScenarioFile = ScenarioFile(), now: Date = Date()) {
    self.environment = environment
    self.now = now
    problems = scenario.problems
  }

  /// The written value, or the first environment variable that is set and not empty; `source` is its name in messages.
  package func value(_ option: String, _ written: String?, environment names: [String] = []) -> (
    text: String, source: String
  )? {
    if let written { return (written, option) }
    for name in names {
      if let value = environment[name], !value.isEmpty { return (value, name) }
    }
    return nil
  }

  /// A whole number in `range`.
  package mutating func integer(
    _ option: String, _ written: String?, default fallback: Int, in range: ClosedRange<Int>,
    environment names: [String] = []
  ) -> Int {
    optionalInteger(option, written, in: range, environment: names) ?? fallback
  }

  /// A whole number in `range`; nil when nothing was written or it was wrong.
  package mutating func optionalInteger(
    _ option: String, _ written: String?, in range: ClosedRange<Int>, environment names: [String] = []
  ) -> Int? {
    guard let (text, source) = value(option, written, environment: names) else { return nil }
    if let number = PlainText.wholeNumber(text), range.contains(number) { return number }
    problems.add(source, "'\(text)' is wrong: write a whole number from \(range.lowerBound) to \(range.upperBound)")
    return nil
  }

  /// A duration; at least `minimum`.
  package mutating func duration(
    _ option: String, _ written: String?, default fallback: Nanoseconds, minimum: Nanoseconds = .zero
  ) -> Nanoseconds {
    optionalDuration(option, written, minimum: minimum) ?? fallback
  }

  /// A duration; nil when nothing was written or it was wrong.
  package mutating func optionalDuration(_ option: String, _ written: String?, minimum: Nanoseconds = .zero)
    -> Nanoseconds?
  {
    guard let written else { return nil }
    guard let length = DurationText.parse(written) else {
      problems.add(option, "'\(written)' is no duration: \(DurationText.rule)")
      return nil
    }
    guard length >= minimum else {
      problems.add(option, "'\(written)' is too short: write at least \(DurationText.write(minimum))")
      return nil
    }
    return length
  }

  /// One of `choices`.
  package mutating func choice(_ option: String, _ written: String?, of choices: [String], default fallback: String)
    -> String
  {
    guard let written else { return fallback }
    if choices.contains(written) { return written }
    problems.add(option, "'\(written)' is unknown: write \(PlainText.list(choices))")
    return fallback
  }

  /// A gateway's or server's URL; nil when nothing was written or it was wrong.
  package mutating func endpoint(_ option: String, _ written: String?, environment names: [String] = []) -> Endpoint? {
    guard let (text, source) = value(option, written, environment: names) else { return nil }
    do throws(EndpointError) {
      return try Endpoint(parsing: text)
    } catch {
      problems.add(source, error.description)
      return nil
    }
  }
}

/// Paths as users write them.
enum PathText {
  /// Why the value of an option is no path: it begins with a dash. The parser refuses `--output-dir -x`, because it
  /// reads `-x` as an option, but takes `--output-dir=-x`. More likely a value is missing than a folder has such a
  /// name.
  static func likeAnOption(_ path: String) -> String? {
    guard path.utf8.first == UInt8(ascii: "-") else { return nil }
    let shown = PlainText.line(path)
    return "'\(shown)' begins with a dash, as options do: write './\(shown)'"
  }
}
