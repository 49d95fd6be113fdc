package import Latency

/// The latencies of runs, merged by metric.
struct PooledRuns: Sendable {
  /// The runs whose histograms can be read, and say what the runs' figures say.
  private(set) var runs: [StoredRun] = []
  /// Of every metric that any of them has.
  private(set) var metrics: [String: PooledLatencies] = [:]
  /// Metrics that are not shown together, as the runs' histograms can't be merged exactly; growing.
  private(set) var unmerged: [String] = []
  private(set) var excluded: [ExcludedFile] = []

  /// Merges `runs`; one with a histogram that can't be read, or that says otherwise than its figures, is left out altogether.
  init(_ runs: [StoredRun]) {
    var merged: [String: Merge] = [:]
    for run in runs {
      do throws(Fault) {
        for (name, histogram) in try Self.histograms(of: run) { merged[name, default: Merge()].add(histogram) }
        self.runs.append(run)
      } catch {
        excluded.append(ExcludedFile(file: run.file.path, reason: error.reason))
      }
    }
    metrics = merged.mapValues(\.pooled)
    unmerged = merged.filter { $0.value.isBroken }.keys.sorted()
  }

  private static func histograms(of run: StoredRun) throws(Fault) -> [(name: String, histogram: LatencyHistogram)] {
    var histograms: [(String, LatencyHistogram)] = []
    for (name, metric) in run.metrics.sorted(by: { $0.key < $1.key }) {
      let histogram: LatencyHistogram
      do throws(HistogramError) {
        histogram = try HistogramV2Codec.decode(base64: metric.histogram.data)
      } catch {
        throw Fault(reason: "metrics.\(name): \(error)")
      }
      if metric.contradicts(histogram) {
        throw Fault(reason: "metrics.\(name): its figures are not its histogram's: bench-report shows them")
      }
      histograms.append((name, histogram))
    }
    return histograms
  }
}

/// Why a run is left out.
private struct Fault: Error {
  var reason: String
}

/// One metric's histograms, as far as they can be merged.
private struct Merge {
  private var histogram: LatencyHistogram?
  private var runs = 0
  private(set) var isBroken = false

  var pooled: PooledLatencies {
    guard let histogram, !isBroken else { return .none }
    return PooledLatencies(histogram, runs: runs)
  }

  mutating func add(_ other: LatencyHistogram) {
    runs += 1
    guard let sum = histogram.take() else {
      histogram = other
      return
    }
    do throws(HistogramError) {
      histogram = try sum.merging(other)
    } catch {
      isBroken = true
    }
  }
}

/// The runs of both sides under one load, their latencies merged.
struct RunPair: Sendable {
  let shape: Workload
  let old: PooledRuns
  let new: PooledRuns

  /// Merges both sides at the same time.
  static func pooled(_ shape: Workload, old: [StoredRun], new: [StoredRun]) async -> RunPair {
    async let oldPool = PooledRuns(old)
    let newPool = PooledRuns(new)
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
  var headlineOfOld: String? { headline(of: Set(old.metrics.keys)) }

  /// The runs of both sides, each with its name.
  var sides: [(side: Comparison.Side, pool: PooledRuns)] { [(.old, old), (.new, new)] }

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

/// The latencies of several runs together: an exact merge of their histograms, in little memory.
package struct PooledLatencies: Sendable, Equatable {
  package let runs: Int
  /// Nil of no latency at all, and of latencies that can't be merged.
  package let summary: LatencySummary?
  private let layout: HistogramLayout
  private let buckets: [HistogramBucket]

  /// Of runs whose latencies can't be merged.
  package static let none = PooledLatencies(LatencyHistogram(), runs: 0)

  /// - Parameter runs: how many runs `merged` is of.
  package init(_ merged: LatencyHistogram, runs: Int) {
    self.runs = runs
    summary = LatencySummary(merged)
    layout = merged.layout
    buckets = merged.recordedBuckets()
  }

  /// The merged histogram, made anew.
  package var histogram: LatencyHistogram {
    var histogram = LatencyHistogram(layout: layout)
    for bucket in buckets { histogram.record(bucket.lower, count: bucket.count) }
    return histogram
  }
}
