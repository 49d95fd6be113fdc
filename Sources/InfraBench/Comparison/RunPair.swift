/// The runs of both sides under one load, their latencies merged.
struct RunPair: Sendable {
  let shape: LoadShape
  let old: RunPool
  let new: RunPool

  /// Merges both sides at the same time.
  static func pooled(_ shape: LoadShape, old: [StoredRun], new: [StoredRun]) async -> RunPair {
    async let oldPool = RunPool(old)
    let newPool = RunPool(new)
    return RunPair(shape: shape, old: await oldPool, new: newPool)
  }

  /// Those that both sides have a sample of: the headline first, then in the tool's order.
  var metricNames: [String] {
    let shared = Set(old.metrics.keys).intersection(new.metrics.keys)
    return MetricOrder.sorted(shared, of: shape.tool, headline: headline(of: shared))
  }

  /// What the tool is there to measure, or stands for it; nil where the sides have no sample of it in common.
  var headline: String? { headline(of: Set(old.metrics.keys).intersection(new.metrics.keys)) }

  /// What is to be judged: what OLD measured, or stood for it; nil where no OLD run has it.
  var expectedHeadline: String? { headline(of: Set(old.metrics.keys)) }

  /// The runs of both sides, each with its name.
  var sides: [(side: Comparison.Side, pool: RunPool)] { [(.old, old), (.new, new)] }

  private func headline(of shared: Set<String>) -> String? {
    MetricOrder.headlines(of: shape.tool)?.first(where: shared.contains)
  }
}

extension MetricOrder {
  /// `names` as they are read.
  static func sorted(_ names: Set<String>, of tool: String, headline: String?) -> [String] {
    let order = MetricOrder.of(tool)
    return names.sorted { first, second in
      if first == headline || second == headline { return first == headline && second != headline }
      let left = order.firstIndex(of: first) ?? Int.max
      let right = order.firstIndex(of: second) ?? Int.max
      return left == right ? first < second : left < right
    }
  }
}
