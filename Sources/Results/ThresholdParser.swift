import Latency
import TextFormatting

/// Why an expression is no threshold. The message says what to write instead.
package struct ThresholdError: Error, Sendable, Equatable {
  package var message: String

  package init(message: String, isUnknownName: Bool = false) {
    self.message = message
    self.isUnknownName = isUnknownName
  }

  /// Whether only the name is unknown, which another tool may have.
  package var isUnknownName = false
}

/// Parses threshold expressions: `<metric>.<statistic> <op> <value>`, `<counter> <op> <n>`, `<counter>.rate <op> <x>%`,
/// and of soaks `<series>_growth <op> <x>%` and `empty.rate <op> <x>%`.
package struct ThresholdParser {
  private let metrics: [String]
  /// The counters that every tool has, then those of this tool.
  private let counters: [String]
  /// The names of series that have a `_growth`; empty where there is no soak.
  private let growing: [String]

  /// A parser for the metrics and counters of one tool.
  package init(_ tool: ToolDescription) {
    self.init(
      metrics: tool.metrics.map(\.name), counters: tool.counters.map(\.name), hasSoak: tool.canSoak,
      latencies: tool.headlines)
  }

  /// A parser for the metrics and counters of the documents' tool, and for those that only the documents have: they may
  /// be of another version.
  init(for documents: [ResultDocument]) {
    func all(_ names: [String], _ others: some Sequence<String>) -> [String] {
      names + Set(others).subtracting(names + ToolDescription.countersOfAll.map(\.name)).sorted()
    }
    let known = documents.first.flatMap { $0.tool.isKnown ? $0.tool : nil }
    self.init(
      metrics: all(known?.metrics.map(\.name) ?? [], documents.flatMap(\.metrics.keys)),
      counters: all(known?.counters.map(\.name) ?? [], documents.flatMap(\.counters.keys)),
      hasSoak: known?.canSoak ?? false || documents.contains { $0.soak != nil },
      latencies: all(known?.headlines ?? [], documents.flatMap(\.metrics.keys)))
  }

  private init(metrics: [String], counters: [String], hasSoak: Bool, latencies: [String]) {
    self.metrics = metrics
    growing = hasSoak ? Soak.growingNames + latencies.flatMap { ["\($0)_p50", "\($0)_p99"] } : []
    self.counters = ToolDescription.countersOfAll.map(\.name) + counters
  }

  package func parse(_ expression: String, isDefault: Bool = false) throws(ThresholdError) -> Threshold {
    let (left, comparison, right) = try Self.split(expression, example: "allocation.p99 < 200ms")
    let subject = try subject(left)
    return Threshold(
      expression: "\(left) \(comparison.rawValue) \(right)", subject: subject, comparison: comparison,
      bound: try bound(right, for: subject), isDefault: isDefault)
  }

  /// Splits `<subject> <op> <value>`; both sides are without blanks at their ends.
  ///
  /// - Parameter example: an expression, for the message about a text that is none.
  package static func split(
    _ text: String, example: String
  ) throws(ThresholdError) -> (subject: String, comparison: Threshold.Comparison, value: String) {
    guard text.utf8.count <= 200, let start = text.firstIndex(where: { "<>=".contains($0) }) else {
      throw ThresholdError(message: "'\(text.prefix(60))' has no comparison: write it as '\(example)'")
    }
    let rest = text[start...]
    // Two-character operators come first in the list.
    guard let comparison = Threshold.Comparison.allCases.first(where: { rest.hasPrefix($0.rawValue) }) else {
      throw ThresholdError(message: "'\(text)': the comparison is one of <, <=, >, >= and ==")
    }
    let left = text[..<start].trimming(while: { $0 == " " })
    let right = rest.dropFirst(comparison.rawValue.count).trimming(while: { $0 == " " })
    return (left, comparison, right)
  }

  private func subject(_ text: String) throws(ThresholdError) -> Threshold.Subject {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if parts.count == 1, counters.contains(text) { return .counter(text) }
    if text.hasSuffix(Self.growth), growing.contains(String(text.dropLast(Self.growth.count))) {
      return .growth(String(text.dropLast(Self.growth.count)))
    }
    if text == "empty.rate", !growing.isEmpty { return .empty }
    guard parts.count == 2 else {
      if metrics.contains(text) {
        throw ThresholdError(message: "'\(text)' is a metric: say which statistic, such as '\(text).p99'")
      }
      throw unknown(text)
    }
    if parts[1] == "rate" {
      guard counters.contains(parts[0]) else { throw unknown(parts[0]) }
      return .rate(parts[0])
    }
    guard metrics.contains(parts[0]) else { throw unknown(parts[0]) }
    guard let statistic = Threshold.Statistic(rawValue: parts[1]) else {
      let known = Threshold.Statistic.allCases.map(\.rawValue)
      throw ThresholdError(message: "'\(parts[1])' is no statistic: write \(PlainText.list(known))")
    }
    return .metric(parts[0], statistic)
  }

  private static let growth = "_growth"

  private func bound(_ text: String, for subject: Threshold.Subject) throws(ThresholdError) -> Double {
    switch subject {
    case .metric(_, .count), .counter:
      guard let number = PlainText.wholeNumber(text) else {
        throw ThresholdError(message: "'\(text)' is no whole number")
      }
      return Double(number)
    case .metric:
      guard let length = DurationText.parse(text) else {
        throw ThresholdError(message: "'\(text)' is no duration: \(DurationText.rule)")
      }
      return Double(length.nanoseconds)
    case .growth:
      // What shrinks has a growth below 0.
      guard text.hasPrefix("-") else { return try percent(text, of: text) }
      return try -percent(String(text.dropFirst()), of: text)
    case .rate, .empty: return try percent(text, of: text)
    }
  }

  private func percent(_ text: String, of whole: String) throws(ThresholdError) -> Double {
    guard text.hasSuffix("%"), let percent = DurationText.parseDecimal(text.dropLast()) else {
      throw ThresholdError(message: "'\(whole)' is no share: write it in percent, such as 1%")
    }
    return percent
  }

  private func unknown(_ name: String) -> ThresholdError {
    let soak =
      growing.isEmpty ? "" : "; of a soak \(growing.map { $0 + Self.growth }.joined(separator: ", ")) and empty.rate"
    return ThresholdError(
      message: "'\(name)' is no metric or counter of this tool: it has the metrics "
        + "\(metrics.joined(separator: ", ")) and the counters \(counters.joined(separator: ", "))\(soak)",
      isUnknownName: true)
  }
}
