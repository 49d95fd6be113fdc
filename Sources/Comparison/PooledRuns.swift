package import Latency
import Results

/// Runs with their latencies, merged by metric.
struct PooledRuns: Sendable {
  /// The runs whose histograms can be read and agree with the runs' figures.
  private(set) var runs: [StoredRun] = []
  /// The merged latencies of all metrics that a run has.
  private(set) var metrics: [String: PooledLatencies] = [:]
  /// Metrics that are not merged, because the runs' histograms cannot be merged exactly; sorted.
  private(set) var unmerged: [String] = []
  private(set) var excluded: [ExcludedFile] = []

  /// Merges `runs`. A run is left out if one of its histograms cannot be read or contradicts its figures. The other
  /// runs get their histograms' figures.
  init(_ runs: [StoredRun]) {
    var merged: [String: Merge] = [:]
    for run in runs {
      do throws(Fault) {
        let (run, histograms) = try Self.recomputed(run)
        for (name, histogram) in histograms { merged[name, default: Merge()].add(histogram) }
        self.runs.append(run)
      } catch {
        excluded.append(ExcludedFile(file: run.file.path, reason: error.reason))
      }
    }
    metrics = merged.mapValues(\.pooled)
    unmerged = merged.filter { $0.value.isBroken }.keys.sorted()
  }

  /// The run with the figures of its histograms, and the histograms.
  private static func recomputed(
    _ run: StoredRun
  ) throws(Fault) -> (run: StoredRun, histograms: [(name: String, histogram: LatencyHistogram)]) {
    var run = run
    var histograms: [(String, LatencyHistogram)] = []
    for (name, metric) in run.document.metrics.sorted(by: { $0.key < $1.key }) {
      do throws(UnreadableHistogram) {
        let histogram = try metric.decodedHistogram(name)
        let actual = try metric.recomputed(from: histogram, name, failed: run.document.failedPart(of: name))
        if metric.contradicts(actual) { throw UnreadableHistogram(kind: .wrong(Self.contradiction(name))) }
        run.document.metrics[name] = actual
        histograms.append((name, histogram))
      } catch {
        throw Fault(reason: ResultReadError(run.file.path, error.kind).reason)
      }
    }
    return (run, histograms)
  }

  private static func contradiction(_ name: String) -> String {
    "metrics.\(name): its figures are not its histogram's: bench-report shows them"
  }
}

/// Why a run is left out.
private struct Fault: Error {
  var reason: String
}

/// The merge of one metric's histograms, if they can be merged.
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

/// The runs of both sides under one load, with merged latencies.
struct RunPair: Sendable {
  let workload: Workload
  let old: PooledRuns
  let new: PooledRuns

  /// Merges both sides at the same time.
  static func pooled(_ workload: Workload, old: [StoredRun], new: [StoredRun]) async -> RunPair {
    async let oldPool = PooledRuns(old)
    let newPool = PooledRuns(new)
    return RunPair(workload: workload, old: await oldPool, new: newPool)
  }

  /// The metrics of which both sides have samples: the headline first, then in the tool's order.
  var metricNames: [String] {
    let shared = Set(old.metrics.keys).intersection(new.metrics.keys)
    return workload.tool.sorted(shared, headline: headline(of: shared))
  }

  /// The headline metric, or its stand-in, of which both sides have samples; nil without one.
  var headline: String? { headline(of: Set(old.metrics.keys).intersection(new.metrics.keys)) }

  /// The headline metric of OLD, or its stand-in; nil if no OLD run has a sample of either.
  var headlineOfOld: String? { headline(of: Set(old.metrics.keys)) }

  /// The sides with their runs.
  var sides: [(side: Comparison.Side, pool: PooledRuns)] { [(.old, old), (.new, new)] }

  private func headline(of shared: Set<String>) -> String? {
    workload.tool.headline(among: shared)
  }
}

/// The latencies of several runs together: an exact merge of their histograms, stored compactly.
package struct PooledLatencies: Sendable, Equatable {
  package let runs: Int
  /// The figures; nil without a latency, and if the latencies cannot be merged.
  package let summary: LatencySummary?
  private let layout: HistogramLayout
  private let buckets: [HistogramBucket]

  /// The value for runs whose latencies cannot be merged.
  package static let none = PooledLatencies(LatencyHistogram(), runs: 0)

  /// - Parameter runs: the number of runs in `merged`.
  package init(_ merged: LatencyHistogram, runs: Int) {
    self.runs = runs
    summary = LatencySummary(merged)
    layout = merged.layout
    buckets = merged.recordedBuckets()
  }

  /// The merged histogram, rebuilt from the stored buckets.
  package var histogram: LatencyHistogram {
    var histogram = LatencyHistogram(layout: layout)
    for bucket in buckets { histogram.record(bucket.lower, count: bucket.count) }
    return histogram
  }
}
