package import Results
import Statistics
import TextFormatting

/// The summary of a run of the whole suite: `infrabench.summary/1`.
package struct SuiteSummary: Codable, Sendable, Equatable {
  package struct Tool: Codable, Sendable, Equatable {
    package var tool: String
    package var exitStatus: Int32
    /// The worst verdict of the tool's documents. A run without a document counts by its exit status as `error` or
    /// `interrupted`. Tools that were not started have `skipped` or `not run`; a tool that runs has `running`.
    package var verdict: String
    /// The path of the result file as given, for several runs that of the latest; nil without a file.
    @AlwaysPresent package var file: String?
    /// All result files, if there were several runs.
    package var files: [String]?
    @AlwaysPresent package var headline: Headline?
    package var thresholds: [ResultDocument.JudgedThreshold]
    package var errors: UInt64
    package var saturated: Bool
    /// Why a tool was not started, or why it has no verdict of its own, as the rest of a sentence, such as "it was
    /// killed by SIGKILL".
    package var reason: String?
    /// The tool's own error messages in their order; nil without any.
    package var messages: [String]?
    /// When the tool's first run began; nil without a document.
    package var startedAt: String?
    /// The length of the measured parts of all runs; nil without a document.
    package var durationSeconds: Double?
    /// The label that all documents share; without a document the label that they would have had.
    package var label: String?
    /// The commonest error of all runs; nil without a failure or a document.
    package var commonestError: CommonestError?
    /// Why the generator was saturated, if that affected the verdict.
    package var saturationReason: String?
    /// Notes for a reader of the figures, each once.
    package var notes: [String]?
  }

  /// The figures of the tool's headline metric, in ms. For several runs: the medians of their figures, and the number
  /// of all samples.
  package struct Headline: Codable, Sendable, Equatable {
    package var metric: String
    package var count: UInt64
    package var mean: Double
    package var p50: Double
    package var p95: Double
    package var p99: Double
    package var max: Double
  }

  /// How far the run of the suite has come.
  package enum State: String, Codable, Sendable, Equatable {
    /// It goes on or was killed: it has no final figures, and ``exitStatus`` is 1.
    case running
    case finished
    /// A signal or `--deadline` ended it: tools that were not measured are `not run`.
    case interrupted
  }

  /// The comparison of this run's results with earlier ones.
  package struct Comparison: Codable, Sendable, Equatable {
    package enum Outcome: String, Codable, Sendable, Equatable {
      case regression
      case noRegression = "no regression"
      case notJudged = "not judged"
      case noEarlierDay = "no earlier day"
    }

    /// The other side: a day, or the folder of `--baseline`; nil without one.
    @AlwaysPresent package var with: String?
    package var outcome: Outcome
    /// Whether the outcome affects the exit status (`--fail-on-regression`).
    package var decides: Bool
    /// The regressions, or why nothing could be judged, a sentence each.
    package var reasons: [String]

    package init(with: String? = nil, outcome: Outcome, decides: Bool, reasons: [String]) {
      self.with = with
      self.outcome = outcome
      self.decides = decides
      self.reasons = reasons
    }
  }

  package var schema = "infrabench.summary/1"
  package var startedAt: String
  package var state: State
  /// The cause of an early end, such as `SIGTERM` or `deadline`; nil without one.
  package var interruption: String?
  /// The worst exit status of the tools and the comparison. If a signal ended the suite, the signal's status overrides
  /// them.
  package var exitStatus: Int32
  package var tools: [Tool]
  package var comparison: Comparison?
  /// Notes on the whole run.
  package var notes: [String]?
  /// `--label`; nil without one.
  package var label: String?
  /// The parts of this run that could not be written, a sentence each; nil if all were written. ``exitStatus`` is no
  /// success then.
  package var unwritten: [String]?

  package init(
    startedAt: String, state: State = .finished, interruption: String? = nil, exitStatus: Int32, tools: [Tool],
    comparison: Comparison? = nil, notes: [String]? = nil, label: String? = nil
  ) {
    self.startedAt = startedAt
    self.state = state
    self.interruption = interruption
    self.exitStatus = exitStatus
    self.tools = tools
    self.comparison = comparison
    self.notes = notes
    self.label = label
  }

  /// The name of one of ``tools`` in reports, with its label if the tool has several entries.
  func name(of tool: Tool) -> String {
    guard tools.count(where: { $0.tool == tool.tool }) > 1, let label = tool.label else { return tool.tool }
    return "\(tool.tool) (\(label))"
  }

  /// The worst of some exit statuses: an interruption, then wrong usage, failure, a crossed threshold, success.
  package static func worst(_ statuses: [Int32]) -> Int32 {
    statuses.max { rank($0) < rank($1) } ?? 0
  }

  private static func rank(_ status: Int32) -> Int {
    switch status {
    case 0: 0
    case 99: 1
    case 64: 3
    case let status where ToolExit.isInterruption(status): 4
    default: 2  // 1, or a tool that crashed
    }
  }
}

extension SuiteSummary.Tool {
  /// Describes a tool that ran once or several times. If it wrote no document, `results` is empty and `label` is its
  /// label.
  package init(
    tool: String, exitStatus: Int32, results: [(file: String, document: ResultDocument)], reason: String? = nil,
    messages: [String] = [], label: String? = nil
  ) {
    let documents = results.map(\.document)
    self.init(
      tool: tool, exitStatus: exitStatus, verdict: Self.verdict(exitStatus, documents).rawValue,
      file: results.last?.file, files: results.count > 1 ? results.map(\.file) : nil,
      headline: .init(documents), thresholds: Self.judged(documents),
      errors: documents.reduce(0) { $0 + ($1.counters["errors"] ?? 0) },
      saturated: documents.contains { $0.generator.saturated }, reason: reason,
      messages: messages.isEmpty ? nil : messages, startedAt: documents.map(\.startedAt).min(),
      durationSeconds: documents.isEmpty ? nil : documents.reduce(0) { $0 + $1.durationSeconds },
      label: Set(documents.map(\.label)).count == 1 ? documents[0].label : documents.isEmpty ? label : nil,
      commonestError: CommonestError(documents), saturationReason: Self.saturationReason(documents),
      notes: Self.notes(documents))
  }

  private static func verdict(_ exitStatus: Int32, _ documents: [ResultDocument]) -> ResultDocument.Verdict {
    var verdicts = documents.map(\.verdict)
    switch exitStatus {
    case let status where ToolExit.isInterruption(status): verdicts.append(.interrupted)
    case 0, 99: break
    default: verdicts.append(.error)
    }
    let ranking: [ResultDocument.Verdict] = [.interrupted, .error, .fail, .pass]
    return ranking.first(where: verdicts.contains) ?? .error
  }

  private static func saturationReason(_ documents: [ResultDocument]) -> String? {
    documents.first(where: \.failsBySaturation).map { $0.generator.saturatedReason ?? "" }
  }

  private static func notes(_ documents: [ResultDocument]) -> [String]? {
    var notes: [String] = []
    for note in documents.flatMap(\.notes) where !notes.contains(note) { notes.append(note) }
    return notes.isEmpty ? nil : notes
  }

  /// Each threshold as judged by the first run that crossed it, else by the first run that did not skip it.
  private static func judged(_ documents: [ResultDocument]) -> [ResultDocument.JudgedThreshold] {
    (documents.first?.thresholds ?? []).map { criterion in
      let judgements = documents.flatMap(\.thresholds).filter { $0.expression == criterion.expression }
      return judgements.first { !$0.pass } ?? judgements.first { $0.skipped != true } ?? criterion
    }
  }

  /// Describes a tool without a result. `verdict` is `skipped`, `not run` or `running`.
  package init(tool: String, notStarted verdict: String, reason: String? = nil) {
    self.init(
      tool: tool, exitStatus: 0, verdict: verdict, file: nil, files: nil, headline: nil, thresholds: [], errors: 0,
      saturated: false, reason: reason)
  }
}

extension SuiteSummary.Headline {
  /// Makes the headline of several documents; nil if no document has a sample of its headline metric.
  fileprivate init?(_ documents: [ResultDocument]) {
    let headlines = documents.compactMap { ReportTables(document: $0).headline }
    guard let name = headlines.first?.name else { return nil }
    let metrics = headlines.filter { $0.name == name }.map(\.metric)
    func median(_ statistic: Threshold.Statistic) -> Double {
      MedianAndRange(metrics.map { $0.value(of: statistic) })?.median ?? 0
    }
    self.init(
      metric: name, count: metrics.reduce(0) { $0 + $1.count }, mean: median(.mean), p50: median(.p50),
      p95: median(.p95), p99: median(.p99), max: median(.max))
  }
}

extension SuiteSummary {
  /// Why the run does not pass, a line each: its early end, crossed thresholds, and failures with their tools.
  package var failures: [String] {
    let own = tools.flatMap { tool in tool.failures.map { "\(name(of: tool)): \($0)" } }
    return ([incompleteness].compactMap(\.self) + own + comparisonFailures + (unwritten ?? [])).map(PlainText.line)
  }

  /// Why the measurement is incomplete; nil if it is complete.
  var incompleteness: String? {
    switch state {
    case .finished: nil
    case .running: "the suite was still running when this was written: it goes on, or was killed"
    case .interrupted: "the suite was interrupted: \(interruption ?? "by a signal")"
    }
  }

  /// The failures that the comparison with earlier results found; empty if it does not affect the exit status.
  private var comparisonFailures: [String] {
    guard let comparison, comparison.decides, [.regression, .notJudged].contains(comparison.outcome) else { return [] }
    return comparison.lines.map { "bench-compare: \($0)" }
  }
}

extension SuiteSummary.Comparison {
  /// The outcome and the reasons, a line each.
  var lines: [String] { ["\(outcome.rawValue)" + (with.map { ", compared with \($0)" } ?? "")] + reasons }
}

extension SuiteSummary.Tool {
  /// Why the tool does not pass, a line each.
  var failures: [String] {
    thresholds.filter { !$0.pass }.map(\.crossing)
      + (saturationReason.map { ["saturated: \($0). \(Saturation.advice)"] } ?? []) + breakage
      + (isPass ? [] : causes(beside: breakage))
  }

  /// Why the tool has no verdict of its own, a line each; empty if it has one.
  var breakage: [String] {
    switch verdict {
    case "running": return ["it was still running when this was written: it goes on, or was killed"]
    case "error", "interrupted":
      // A tool's message about wrong usage has several lines.
      let said = (messages ?? []).flatMap { $0.split(separator: "\n") }
        .map { $0.hasPrefix("error: ") ? String($0.dropFirst(7)) : String($0) }
      let lines = (reason.map { [$0] } ?? []) + said
      return lines.isEmpty ? ["verdict \(verdict), exit status \(exitStatus)"] : lines
    default: return []
    }
  }

  /// The commonest error, unless `lines` name it already.
  func causes(beside lines: [String]) -> [String] {
    guard let words = commonestError?.words, !lines.contains(where: { $0.contains(words) }) else { return [] }
    return [words]
  }

  private var isPass: Bool { verdict == "pass" || isUnstarted }

  /// Whether the tool was not started.
  var isUnstarted: Bool { verdict == "skipped" || verdict == "not run" }

  /// Why the tool was not started.
  var unstartedReason: String { reason ?? "it was not started" }
}

/// The most frequent kind of failure of a run, or of several, with its first example.
package struct CommonestError: Codable, Sendable, Equatable {
  package var kind: String
  package var count: UInt64
  /// The number of failures of all kinds.
  package var total: UInt64
  /// The message of the first failure of this kind; may be empty.
  package var example: String

  /// Finds the most frequent kind; among equally frequent kinds the first that appeared. Nil without a failure.
  package init?(_ failures: [(kind: String, count: UInt64, example: String)]) {
    var commonest: (kind: String, count: UInt64, example: String)?
    var total: UInt64 = 0
    for failure in failures {
      total &+= failure.count
      if failure.count > commonest?.count ?? 0 { commonest = failure }
    }
    guard let commonest else { return nil }
    (kind, count, example) = commonest
    self.total = total
  }

  /// Finds the most frequent kind in all documents, whose counts are added up by kind.
  init?(_ documents: [ResultDocument]) {
    var failures: [(kind: String, count: UInt64, example: String)] = []
    for failure in documents.flatMap(\.errors) {
      if let index = failures.firstIndex(where: { $0.kind == failure.kind }) {
        failures[index].count &+= failure.count
      } else {
        failures.append((failure.kind, failure.count, failure.example))
      }
    }
    self.init(failures)
  }

  /// The error on one line.
  package var words: String {
    let share = count == total ? "\(total)" : "\(count) of \(total)"
    return PlainText.line(
      "the commonest error (\(share)): \(kind)" + (example.isEmpty ? "" : ": \(example)"))
  }
}

/// The median and the range of several runs' values.
package struct MedianAndRange: Codable, Sendable, Equatable {
  package var median: Double
  package var min: Double
  package var max: Double

  /// Makes the median and the range; nil without a value.
  package init?(_ values: [Double]) {
    guard let min = values.min(), let max = values.max() else { return nil }
    median = Statistics.median(of: values)
    self.min = min
    self.max = max
  }
}
