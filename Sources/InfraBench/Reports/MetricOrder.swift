import LoadEngine

/// The order in which a tool's metrics are read: its headline first.
enum MetricOrder {
  static func of(_ tool: String) -> [String] {
    catalogues[tool]?.metrics ?? []
  }

  private static let catalogues: [String: Catalogue] = [
    AllocationBenchmark.tool: AllocationBenchmark.catalogue,
    ConcurrentBenchmark.tool: ConcurrentBenchmark.catalogue,
    DirInitBenchmark.tool: DirInitBenchmark.catalogue,
    EndToEndBenchmark.tool: EndToEndBenchmark.catalogue,
    ExhaustionBenchmark.tool: ExhaustionBenchmark.catalogue,
  ]
}
