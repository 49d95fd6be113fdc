import LoadEngine

/// The order in which a tool's metrics are read: its headline first.
enum MetricOrder {
  static func of(_ tool: String) -> [String] {
    catalogues[tool]?.metrics ?? []
  }

  /// A tool's metrics and counters; nil for tools that are not known.
  static func catalogue(of tool: String) -> Catalogue? { catalogues[tool] }

  /// What a tool is there to measure, the usual one first: another of these stands for it where the target or the options
  /// leave the usual one without a sample. Any other metric in its place would mislead. nil for tools that are not known.
  static func headlines(of tool: String) -> [String]? { headlines[tool] }

  private static let headlines: [String: [String]] = [
    APIBenchmark.tool: ["list_tasks"],
    AllocationBenchmark.tool: ["allocation", "confirmation"],
    ConcurrentBenchmark.tool: ["warm", "cold", "all"],
    DirInitBenchmark.tool: ["create"],
    EndToEndBenchmark.tool: ["end_to_end", "end_to_end_cold", "first_response", "ready"],
    ExhaustionBenchmark.tool: ["refill_full"],
  ]

  /// Every metric of every tool.
  static var allNames: [String] { catalogues.sorted { $0.key < $1.key }.flatMap(\.value.metrics) }

  /// Latencies of setting up, which no tool is there to measure: a run with no others is worthless.
  static let ofSetUp: Set<String> = ["name_lookup", "connect", "tls", "upgrade"]

  private static let catalogues: [String: Catalogue] = [
    APIBenchmark.tool: APIBenchmark.catalogue,
    AllocationBenchmark.tool: AllocationBenchmark.catalogue,
    ConcurrentBenchmark.tool: ConcurrentBenchmark.catalogue,
    DirInitBenchmark.tool: DirInitBenchmark.catalogue,
    EndToEndBenchmark.tool: EndToEndBenchmark.catalogue,
    ExhaustionBenchmark.tool: ExhaustionBenchmark.catalogue,
  ]
}

/// The counters that say how good a run was: each over what it is a share of.
struct RateCounter: Sendable {
  let name: String
  /// Whether more of it is better.
  let isGood: Bool
  /// Of all starts that were due; else of the iterations.
  let isOfDue: Bool

  /// In the order of reports. Counters that are neither good nor bad, and parts of others, are left out.
  static let all: [RateCounter] = [
    RateCounter("errors"), RateCounter("timeouts"), RateCounter("warm", isGood: true), RateCounter("cold"),
    RateCounter("misses"), RateCounter("cold_starts"), RateCounter("failed_steps"),
    RateCounter("duplicate_assignments"), RateCounter("isolation_violations"), RateCounter("dropped", isOfDue: true),
    RateCounter("censored", isOfDue: true), RateCounter("unreleased"),
  ]

  private init(_ name: String, isGood: Bool = false, isOfDue: Bool = false) {
    self.name = name
    self.isGood = isGood
    self.isOfDue = isOfDue
  }

  /// The share in a run, 0…1 and beyond where there can be several in one iteration; nil where the run has no such counter or no
  /// iteration.
  func share(in counters: [String: UInt64]) -> Double? {
    guard let number = counters[name] else { return nil }
    let parts = isOfDue ? ["iterations", "dropped", "censored"] : ["iterations"]
    let whole = parts.reduce(0.0) { $0 + Double(counters[$1] ?? 0) }
    return whole > 0 ? Double(number) / whole : nil
  }
}
