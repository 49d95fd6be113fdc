/// How much each tool of the suite measures, unless it is told otherwise.
enum SuiteSize: Sendable {
  case full
  /// Under 90 seconds for all.
  case quick

  private struct Part {
    var words: [String]
    /// Options, by long name, beside which these words would be wrong or mean something else.
    var unless: Set<String>
  }

  /// The words for a tool that is given `options`, by long name, anyway.
  func words(for tool: String, beside options: Set<String>) -> [String] {
    parts(of: tool).filter { $0.unless.isDisjoint(with: options) }.flatMap(\.words)
  }

  private func parts(of tool: String) -> [Part] {
    let isQuick = self == .quick
    let loop: Set<String> = ["count", "duration", "stages"]
    switch tool {
    case AllocationBenchmark.tool: return [Part(words: ["--count", isQuick ? "20" : "100"], unless: loop)]
    case DirInitBenchmark.tool: return [Part(words: ["--count", isQuick ? "20" : "100"], unless: loop)]
    case EndToEndBenchmark.tool: return [Part(words: ["--count", isQuick ? "10" : "50"], unless: loop)]
    case ConcurrentBenchmark.tool:
      return [
        Part(words: ["--beyond", "3"], unless: loop.union(["rate", "beyond"])),
        Part(words: ["--bursts", isQuick ? "1" : "5"], unless: loop.union(["rate", "bursts"])),
      ]
    case APIBenchmark.tool: return [Part(words: ["--iterations", isQuick ? "10" : "50"], unless: ["iterations"])]
    default: return []
    }
  }
}
