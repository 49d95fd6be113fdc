/// What came of one run of the whole suite: `infrabench.summary/1`.
package struct SuiteSummary: Codable, Sendable, Equatable {
  package struct Tool: Codable, Sendable, Equatable {
    package var tool: String
    package var exitStatus: Int32
    /// `skipped` and `not run` for tools that were not started, and `error` where there is no document.
    package var verdict: String
    /// The result file, as it was given; nil without one.
    @AlwaysPresent package var file: String?
    @AlwaysPresent package var headline: Headline?
    package var thresholds: [ResultDocument.JudgedThreshold]
    package var errors: UInt64
    package var saturated: Bool
    /// Why a tool was not started, where that was said.
    package var reason: String?
  }

  /// What the tool is there to measure, in ms.
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
    case 130, 143: 4
    default: 2  // 1, or a tool that crashed
    }
  }
}

extension SuiteSummary.Tool {
  /// Describes a tool that ran; `document` is nil when it wrote none.
  package init(tool: String, exitStatus: Int32, file: String?, document: ResultDocument?) {
    let headline = document.flatMap { ReportTables(document: $0).headline }
    self.init(
      tool: tool, exitStatus: exitStatus, verdict: document?.verdict.rawValue ?? "error", file: file,
      headline: headline.map { name, metric in
        .init(
          metric: name, count: metric.count, mean: metric.mean, p50: metric.p50, p95: metric.p95, p99: metric.p99,
          max: metric.max)
      }, thresholds: document?.thresholds ?? [], errors: document?.counters["errors"] ?? 0,
      saturated: document?.generator.saturated ?? false)
  }

  /// A tool that was not started, and why: `skipped` or `not run`.
  package init(tool: String, notStarted verdict: String, reason: String? = nil) {
    self.init(
      tool: tool, exitStatus: 0, verdict: verdict, file: nil, headline: nil, thresholds: [], errors: 0,
      saturated: false, reason: reason)
  }
}
