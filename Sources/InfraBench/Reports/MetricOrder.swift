import LoadEngine

/// The order in which a tool's metrics are read: its headline first.
enum MetricOrder {
  static func of(_ tool: String) -> [String] {
    catalogues[tool]?.metrics ?? []
  }

  /// Latencies of setting up, which no tool is there to measure: a run with no others is worthless.
  static let ofSetUp: Set<String> = ["name_lookup", "connect", "tls"]

  private static let catalogues: [String: Catalogue] = [
    APIBenchmark.tool: APIBenchmark.catalogue,
    AllocationBenchmark.tool: AllocationBenchmark.catalogue,
    ConcurrentBenchmark.tool: ConcurrentBenchmark.catalogue,
    DirInitBenchmark.tool: DirInitBenchmark.catalogue,
    EndToEndBenchmark.tool: EndToEndBenchmark.catalogue,
    ExhaustionBenchmark.tool: ExhaustionBenchmark.catalogue,
  ]
}
