/// When the drains of bench-exhaustion ended and when the pool was full again, from the words of its findings.
struct PoolMarks {
  struct Cycle {
    /// t₀, in seconds on the timeline.
    var drained: Double
    /// From the last look at which it was not full to the first at which it was.
    var refilled: ClosedRange<Double>?
  }

  let cycles: [Cycle]

  init(_ document: ResultDocument) {
    let findings = document.findings ?? [:]
    let ofCycles = findings.filter { $0.key.hasPrefix("cycle_") }.sorted { Natural.precedes($0.key, $1.key) }
    cycles =
      ofCycles.isEmpty
      ? [Self.cycle(findings)].compactMap { $0 }
      : ofCycles.compactMap { entry in
        guard case .object(let facts) = entry.value else { return nil }
        return Self.cycle(facts)
      }
  }

  /// The last instant that is marked.
  var latest: Double { cycles.map { $0.refilled?.upperBound ?? $0.drained }.max() ?? 0 }

  private static func cycle(_ facts: [String: JSONValue]) -> Cycle? {
    guard case .string(let text) = facts["t0"], let drained = numbers(in: text).first else { return nil }
    guard case .string(let refill) = facts["refill_full"], case let bounds = numbers(in: refill), bounds.count >= 2,
      bounds[0] <= bounds[1]
    else { return Cycle(drained: drained) }
    return Cycle(drained: drained, refilled: drained + bounds[0]...drained + bounds[1])
  }

  /// As in `22.310–22.820 s (resolution 0.510 s)` (``RefillText``): the numbers before the unit.
  private static func numbers(in text: String) -> [Double] {
    text.prefix { $0 != " " }.split(separator: "–").compactMap { Double($0) }
      .filter { $0.isFinite && $0 >= 0 && $0 < 1e7 }
  }
}
