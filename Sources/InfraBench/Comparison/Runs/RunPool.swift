import Latency

/// The latencies of runs, merged by metric.
struct RunPool: Sendable {
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
