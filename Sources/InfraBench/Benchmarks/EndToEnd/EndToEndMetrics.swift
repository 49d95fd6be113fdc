import LoadEngine

/// The metrics and counters of bench-e2e, by index.
enum EndToEndMetrics {
  private static let catalogue = EndToEndBenchmark.catalogue

  static let endToEnd = catalogue.operation("end_to_end")
  static let ready = catalogue.operation("ready")
  static let acquire = catalogue.metric("acquire")
  static let initUser = catalogue.metric("init_user")
  static let workspace = catalogue.metric("workspace")
  static let processStart = catalogue.metric("process_start")
  static let firstResponse = catalogue.metric("first_response")
  static let firstResponseWarm = catalogue.metric("first_response_warm")
  static let firstResponseCold = catalogue.metric("first_response_cold")
  static let complete = catalogue.metric("complete")
  static let gap = catalogue.metric("gap")
  static let messageRoundtrip = catalogue.metric("message_roundtrip")
  static let recovery = catalogue.metric("recovery")
  static let upgrade = catalogue.metric("upgrade")
  static let connect = ConnectMetrics(catalogue)
  static let cold = catalogue.operation("end_to_end_cold")

  /// Of tasks that this tool starts.
  static let taskStarts = ColdStarts(catalogue, measured: "cold_starts")

  static let failedSteps = catalogue.counter("failed_steps")
  static let coldStarts = catalogue.counter("cold_starts")
  static let unclassified = catalogue.counter("unclassified")
  static let questions = catalogue.counter("questions")
  static let sessionsHeld = catalogue.counter("sessions_held")
  static let sessionsLost = catalogue.counter("sessions_lost")
  static let duplicates = catalogue.counter("duplicate_assignments")

  private static let failures = EndToEndStep.allCases.map { catalogue.counter($0.counterName) }

  /// The counter of a step's failures.
  static func failed(_ step: EndToEndStep) -> Counter {
    failures[EndToEndStep.allCases.firstIndex(of: step) ?? 0]
  }
}

extension IterationRecord {
  /// Ends the iteration at a step that failed; errors are counted by step and kind.
  mutating func fail(_ step: EndToEndStep, _ kind: String, _ example: String) {
    count(EndToEndMetrics.failedSteps)
    count(EndToEndMetrics.failed(step))
    fail("\(step.counterName.dropFirst("failed_".count)): \(kind)", example)
  }

  /// Adds a phase that somebody else measured, in ms, if it was seen.
  mutating func sample(_ metric: Metric, milliseconds: Double?) {
    guard let milliseconds, milliseconds >= 0, milliseconds < 3.6e6 else { return }
    sample(metric, UInt64((milliseconds * 1e6).rounded()))
  }
}
