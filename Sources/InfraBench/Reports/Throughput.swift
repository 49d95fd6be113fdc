/// What came of the load that was asked for, where iterations follow one another: a line for people.
struct Throughput {
  let document: ResultDocument

  /// Up to so many iterations are a few, which have no throughput to speak of.
  private static let few: Int64 = 100

  /// nil for bursts, and for closed loops of a few iterations.
  var line: String? {
    let parts = document.parameters["maxInFlight"] != nil ? openLoop : closedLoop
    return parts.isEmpty ? nil : parts.joined(separator: " · ")
  }

  /// What became of what was due: the schedule makes the rate, and the target what came of it.
  private var openLoop: [String] {
    var parts = ["\(document.startsDue) starts due"]
    let asked = [stages, text("rate")].compactMap { $0 }
    if !asked.isEmpty { parts.append("asked for \(asked.joined(separator: " from "))") }
    parts.append("\(document.counters["iterations"] ?? 0) finished")
    if document.generator.backlogMax > 0 {
      parts.append("up to \(document.generator.backlogMax) waited for a free user")
    }
    return parts + number(of: "dropped", "dropped") + number(of: "censored", "not finished")
  }

  private var closedLoop: [String] {
    guard document.parameters["bursts"] == nil, document.durationSeconds > 0 else { return [] }
    guard text("duration") != nil || stages != nil || hasManyIterations else { return [] }
    // A user that did not get in made no start.
    var failedSetUps: UInt64 = 0
    if case .int(let number)? = document.findings?[Measurement.failedSetUps] { failedSetUps = UInt64(max(0, number)) }
    let iterations = document.counters["iterations"] ?? 0
    let rate = Double(iterations - min(iterations, failedSetUps)) / document.durationSeconds
    return ["\(Figures.decimals(rate, 1))/s finished"] + (stages.map { [$0] } ?? [])
      + number(of: "censored", "not finished")
  }

  private var hasManyIterations: Bool {
    guard case .int(let count) = document.parameters["count"] else { return false }
    return count > Self.few
  }

  private var stages: String? { text("stages").map { "stages \($0)" } }

  private func number(of counter: String, _ what: String) -> [String] {
    guard let number = document.counters[counter], number > 0 else { return [] }
    return ["\(number) \(what)"]
  }

  private func text(_ parameter: String) -> String? {
    guard case .string(let text) = document.parameters[parameter] else { return nil }
    return text
  }
}
