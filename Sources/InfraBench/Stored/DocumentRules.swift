/// What a document must keep to so that it can be shown: reports take names, times and numbers of our own for harmless.
enum DocumentRules {
  /// Far more than the tools write, and few enough that work that looks at each of them for each other one ends.
  static let mostTimelineRows = 100_000
  static let mostThresholds = 10_000
  static let mostNames = 1_000

  /// The first rule that it breaks; nil of a sound document. docs/schema has the same rules.
  static func violation(in document: ResultDocument) -> String? {
    if !isName(document.tool, plus: "-") || !document.tool.hasPrefix("bench-") {
      return "is no result: tool is no tool"
    }
    if !isVersion(document.version) { return "is no result: version is no version" }
    if !["release", "debug"].contains(document.build) { return "is no result: build is neither release nor debug" }
    if !Timestamp.isWritten(document.startedAt) { return "is no result: startedAt is no time in UTC with milliseconds" }
    if !isName(document.target.kind, plus: "-") { return "is no result: target.kind is no kind of target" }
    if !isAmount(document.durationSeconds) { return "is no result: durationSeconds is no duration" }
    if !isAmount(document.generator.cpuUtilisation) { return "is no result: generator.cpuUtilisation is no share" }
    let lateness = [document.generator.scheduleLatenessP50Ms, document.generator.scheduleLatenessP99Ms]
    if !lateness.allSatisfy({ isAmount($0 ?? 0) }) { return "is no result: generator.scheduleLateness is no time" }
    for (list, count, most) in [
      ("metrics", document.metrics.count, mostNames), ("counters", document.counters.count, mostNames),
      ("timeline", document.timeline?.count ?? 0, mostTimelineRows),
      ("thresholds", document.thresholds.count, mostThresholds),
    ] where count > most {
      return "is no result: \(list) has \(count) entries, and no run has more than \(most)"
    }
    for name in document.metrics.keys.sorted() + document.counters.keys.sorted() where !isName(name) {
      return "is no result: '\(name.prefix(40))' is no name of a metric or counter"
    }
    for (name, metric) in document.metrics.sorted(by: { $0.key < $1.key }) {
      if !isAmount(metric.resolution ?? 0) { return "is no result: metrics.\(name).resolution is no time" }
    }
    return nil
  }

  /// `allocation`, `bench-e2e`: a small letter, then letters, digits, `_` and what is in `plus`.
  private static func isName(_ text: String, plus others: String = "") -> Bool {
    guard let first = text.unicodeScalars.first, ("a"..."z").contains(first), text.utf8.count <= 100 else {
      return false
    }
    return text.unicodeScalars.allSatisfy {
      ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "_" || others.unicodeScalars.contains($0)
    }
  }

  private static func isVersion(_ text: String) -> Bool {
    let isPlain = text.unicodeScalars.allSatisfy {
      $0.isASCII && ($0.properties.isAlphabetic || "0123456789.+-".unicodeScalars.contains($0))
    }
    return isPlain && text.utf8.count <= 60 && text.split(separator: ".").count >= 3 && text.first?.isNumber == true
  }

  private static func isAmount(_ number: Double) -> Bool { (0..<1e15).contains(number) }
}
