/// What a document must keep to so that it can be shown: reports take names, times and numbers of our own for harmless.
enum DocumentRules {
  /// The first rule that it breaks; nil of a sound document. docs/schema has the same rules.
  static func violation(in document: ResultDocument) -> String? {
    if !isName(document.tool, plus: "-") || !document.tool.hasPrefix("bench-") {
      return "is no result: tool is no tool"
    }
    if !isVersion(document.version) { return "is no result: version is no version" }
    if !["release", "debug"].contains(document.build) { return "is no result: build is neither release nor debug" }
    if !isTimestamp(document.startedAt) { return "is no result: startedAt is no time in UTC with milliseconds" }
    if !isName(document.target.kind, plus: "-") { return "is no result: target.kind is no kind of target" }
    if !isAmount(document.durationSeconds) { return "is no result: durationSeconds is no duration" }
    if !isAmount(document.generator.cpuUtilisation) { return "is no result: generator.cpuUtilisation is no share" }
    let lateness = [document.generator.scheduleLatenessP50Ms, document.generator.scheduleLatenessP99Ms]
    if !lateness.allSatisfy({ isAmount($0 ?? 0) }) { return "is no result: generator.scheduleLateness is no time" }
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

  /// `2026-11-20T21:00:00.123Z`
  private static func isTimestamp(_ text: String) -> Bool {
    let digits: [Character] = Array("0000-00-00T00:00:00.000Z")
    return text.count == digits.count
      && zip(text, digits).allSatisfy { $1 == "0" ? $0.isASCII && $0.isNumber : $0 == $1 }
  }

  private static func isAmount(_ number: Double) -> Bool { (0..<1e15).contains(number) }
}
