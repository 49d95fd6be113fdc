/// What came of one run of the whole suite: `infrabench.summary/1`.
package struct SuiteSummary: Codable, Sendable, Equatable {
  package struct Tool: Codable, Sendable, Equatable {
    package var tool: String
    package var exitStatus: Int32
    /// The worst of the documents', and of what the exit status says of runs that gave none: `error`, or `interrupted`;
    /// `skipped` and `not run` for tools that were not started.
    package var verdict: String
    /// The result file, of several runs the latest one's, as it was given; nil without one.
    @AlwaysPresent package var file: String?
    /// All of them, of several runs.
    package var files: [String]?
    @AlwaysPresent package var headline: Headline?
    package var thresholds: [ResultDocument.JudgedThreshold]
    package var errors: UInt64
    package var saturated: Bool
    /// Why a tool was not started, where that was said.
    package var reason: String?
    /// When it began, the first of several runs; nil without a document.
    package var startedAt: String?
    /// Of the measured part, of several runs together; nil without a document.
    package var durationSeconds: Double?
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

  package var schema = "infrabench.summary/1"
  package var startedAt: String
  /// The worst of the tools'.
  package var exitStatus: Int32
  package var tools: [Tool]

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
  /// Describes a tool that ran, once or several times; `results` is empty when it wrote none.
  package init(tool: String, exitStatus: Int32, results: [(file: String, document: ResultDocument)]) {
    let documents = results.map(\.document)
    self.init(
      tool: tool, exitStatus: exitStatus, verdict: Self.verdict(exitStatus, documents).rawValue,
      file: results.last?.file, files: results.count > 1 ? results.map(\.file) : nil,
      headline: .init(documents), thresholds: Self.judged(documents),
      errors: documents.reduce(0) { $0 + ($1.counters["errors"] ?? 0) },
      saturated: documents.contains { $0.generator.saturated }, startedAt: documents.map(\.startedAt).min(),
      durationSeconds: documents.isEmpty ? nil : documents.reduce(0) { $0 + $1.durationSeconds })
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

  /// Each criterion as the first run judged it that crossed it; else as the first did for which it was not skipped.
  private static func judged(_ documents: [ResultDocument]) -> [ResultDocument.JudgedThreshold] {
    (documents.first?.thresholds ?? []).map { criterion in
      let judgements = documents.flatMap(\.thresholds).filter { $0.expression == criterion.expression }
      return judgements.first { !$0.pass } ?? judgements.first { $0.skipped != true } ?? criterion
    }
  }

  /// A tool that was not started, and why: `skipped` or `not run`.
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
      Spread(metrics.map { $0.value(of: statistic) })?.median ?? 0
    }
    self.init(
      metric: name, count: metrics.reduce(0) { $0 + $1.count }, mean: median(.mean), p50: median(.p50),
      p95: median(.p95), p99: median(.p99), max: median(.max))
  }
}
