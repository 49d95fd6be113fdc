package import Results
import Statistics
import TextFormatting

/// What came of one run of the whole suite: `infrabench.summary/1`.
package struct SuiteSummary: Codable, Sendable, Equatable {
  package struct Tool: Codable, Sendable, Equatable {
    package var tool: String
    package var exitStatus: Int32
    /// The worst of the documents', and of what the exit status says of runs that gave none: `error`, or `interrupted`;
    /// `skipped` and `not run` for tools that were not started; `running` while it runs.
    package var verdict: String
    /// The result file, of several runs the latest one's, as it was given; nil without one.
    @AlwaysPresent package var file: String?
    /// All of them, of several runs.
    package var files: [String]?
    @AlwaysPresent package var headline: Headline?
    package var thresholds: [ResultDocument.JudgedThreshold]
    package var errors: UInt64
    package var saturated: Bool
    /// Why a tool was not started, or why it has no verdict of its own, such as "it was killed by SIGKILL"; a sentence's rest.
    package var reason: String?
    /// What the tool itself said as errors, the first of them first; nil where it said none.
    package var messages: [String]?
    /// When it began, the first of several runs; nil without a document.
    package var startedAt: String?
    /// Of the measured part, of several runs together; nil without a document.
    package var durationSeconds: Double?
    /// The documents' own, where all have one and the same; without a document the one that they would have had.
    package var label: String?
    /// Of all its runs; nil where none failed, and without a document.
    package var commonestError: CommonestError?
    /// Why the generator was saturated, where that had a say in the verdict.
    package var saturationReason: String?
    /// What a reader of the figures must know, each once.
    package var notes: [String]?
  }

  /// What the tool is there to measure, in ms. Of several runs: the median of their figures, and all samples' number.
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
    /// It goes on, or was killed: its figures are none yet, and ``exitStatus`` is 1.
    case running
    case finished
    /// A signal or `--deadline` ended it: what was not measured is `not run`.
    case interrupted
  }

  /// What this run's results are beside an earlier day's.
  package struct Comparison: Codable, Sendable, Equatable {
    package enum Outcome: String, Codable, Sendable, Equatable {
      case regression
      case noRegression = "no regression"
      case notJudged = "not judged"
      case noEarlierDay = "no earlier day"
    }

    /// What it was compared with: a day, or the folder of `--baseline`; nil without one.
    @AlwaysPresent package var with: String?
    package var outcome: Outcome
    /// Whether it has a say in the exit status: `--fail-on-regression`.
    package var decides: Bool
    /// What got worse, or why nothing could be judged, a sentence each.
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
  /// What ended it early: `SIGTERM`, or `deadline`; nil where nothing did.
  package var interruption: String?
  /// The worst of the tools' and the comparison's; that of the signal where one ended the suite, whatever a tool made of it.
  package var exitStatus: Int32
  package var tools: [Tool]
  package var comparison: Comparison?
  /// What a reader must know of the whole run, said once.
  package var notes: [String]?
  /// `--label`; nil without one.
  package var label: String?
  /// What of this run could not be written, a sentence each; nil where all was. ``exitStatus`` is no success then.
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

  /// How a report calls one of ``tools``: with its label where it has several entries.
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
  /// Describes a tool that ran, once or several times; `results` is empty when it wrote none, and then it has `label`.
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

  /// Each criterion as the first run judged it that crossed it; else as the first did for which it was not skipped.
  private static func judged(_ documents: [ResultDocument]) -> [ResultDocument.JudgedThreshold] {
    (documents.first?.thresholds ?? []).map { criterion in
      let judgements = documents.flatMap(\.thresholds).filter { $0.expression == criterion.expression }
      return judgements.first { !$0.pass } ?? judgements.first { $0.skipped != true } ?? criterion
    }
  }

  /// A tool that has no result, and why: `skipped`, `not run`, or `running`.
  package init(tool: String, notStarted verdict: String, reason: String? = nil) {
    self.init(
      tool: tool, exitStatus: 0, verdict: verdict, file: nil, files: nil, headline: nil, thresholds: [], errors: 0,
      saturated: false, reason: reason)
  }
}

extension SuiteSummary.Headline {
  /// nil where no document has a sample of what its tool is there to measure.
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
  /// Why the run is no pass, a line each: what ended it, what was crossed, what went wrong, and where.
  package var failures: [String] {
    let own = tools.flatMap { tool in tool.failures.map { "\(name(of: tool)): \($0)" } }
    return ([incompleteness].compactMap(\.self) + own + comparisonFailures + (unwritten ?? [])).map(PlainText.line)
  }

  /// Why not everything was measured that was to be; nil where it was.
  var incompleteness: String? {
    switch state {
    case .finished: nil
    case .running: "the suite was still running when this was written: it goes on, or was killed"
    case .interrupted: "the suite was interrupted: \(interruption ?? "by a signal")"
    }
  }

  /// What the comparison with an earlier day has against the run; empty where it has no say.
  private var comparisonFailures: [String] {
    guard let comparison, comparison.decides, [.regression, .notJudged].contains(comparison.outcome) else { return [] }
    return comparison.lines.map { "bench-compare: \($0)" }
  }
}

extension SuiteSummary.Comparison {
  /// Its outcome and the reasons, a line each.
  var lines: [String] { ["\(outcome.rawValue)" + (with.map { ", compared with \($0)" } ?? "")] + reasons }
}

extension SuiteSummary.Tool {
  /// Why it is no pass, a line each.
  var failures: [String] {
    thresholds.filter { !$0.pass }.map(\.crossing)
      + (saturationReason.map { ["saturated: \($0). \(Saturation.advice)"] } ?? []) + breakage
      + (isPass ? [] : causes(beside: breakage))
  }

  /// Why it gave no verdict of its own, a line each; empty where it did.
  var breakage: [String] {
    switch verdict {
    case "running": return ["it was still running when this was written: it goes on, or was killed"]
    case "error", "interrupted":
      // What a tool says of wrong usage is several lines.
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

  /// Whether it was not run at all.
  var isUnstarted: Bool { verdict == "skipped" || verdict == "not run" }

  /// Why it was not run.
  var unstartedReason: String { reason ?? "it was not started" }
}

/// The most frequent kind of failure of a run, or of several, with its first example.
package struct CommonestError: Codable, Sendable, Equatable {
  package var kind: String
  package var count: UInt64
  /// Of failures of all kinds.
  package var total: UInt64
  /// What the first one said; may be empty.
  package var example: String

  /// Of equally frequent kinds the first that appeared; nil without a failure.
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

  /// Of one run, or of several: the same kind counts together.
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

  /// On one line.
  package var words: String {
    let share = count == total ? "\(total)" : "\(count) of \(total)"
    return PlainText.line(
      "the commonest error (\(share)): \(kind)" + (example.isEmpty ? "" : ": \(example)"))
  }
}

/// Where the values of several runs lie.
package struct MedianAndRange: Codable, Sendable, Equatable {
  package var median: Double
  package var min: Double
  package var max: Double

  /// Nil of no value.
  package init?(_ values: [Double]) {
    guard let min = values.min(), let max = values.max() else { return nil }
    median = Statistics.median(of: values)
    self.min = min
    self.max = max
  }
}
