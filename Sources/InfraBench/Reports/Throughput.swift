/// What came of the load that was asked for, where iterations follow one another: a line for people.
struct Throughput {
  let document: ResultDocument

  /// nil for runs without a rate, stages or a duration: a burst or a few iterations have no throughput to speak of.
  var line: String? {
    let asked = ["rate", "stages", "duration"].compactMap { text($0) }
    guard !asked.isEmpty, document.durationSeconds > 0 else { return nil }
    let iterations = Double(document.counters["iterations"] ?? 0)
    var parts = ["\(Figures.decimals(iterations / document.durationSeconds, 1))/s finished"]
    if let rate = text("rate") { parts.append("asked for \(rate)") }
    if let stages = text("stages") { parts.append("asked for \(stages)") }
    if document.generator.backlogMax > 0 {
      parts.append("up to \(document.generator.backlogMax) starts waited for a free user")
    }
    for (name, what) in [("dropped", "dropped"), ("censored", "not finished")] {
      if let number = document.counters[name], number > 0 { parts.append("\(number) \(what)") }
    }
    return parts.joined(separator: " · ")
  }

  private func text(_ parameter: String) -> String? {
    guard case .string(let text) = document.parameters[parameter] else { return nil }
    return text
  }
}
