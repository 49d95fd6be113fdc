import Latency

/// The latencies of runs, merged by metric.
struct RunPool: Sendable {
  /// The runs whose histograms can be read.
  private(set) var runs: [StoredRun]
  private(set) var metrics: [String: PooledLatencies] = [:]
  private(set) var excluded: [ExcludedFile] = []

  /// Merges `runs`; one whose histograms can't be read or merged is left out altogether.
  init(_ runs: [StoredRun]) {
    self.runs = runs
    while true {
      guard let broken = merge() else { return }
      excluded.append(ExcludedFile(file: self.runs[broken.run].file.path, reason: broken.reason))
      self.runs.remove(at: broken.run)
    }
  }

  /// The first run that can't be merged, if there is one.
  private mutating func merge() -> (run: Int, reason: String)? {
    var merged: [String: (histogram: LatencyHistogram, runs: Int)] = [:]
    for (index, run) in runs.enumerated() {
      for (name, metric) in run.metrics {
        do throws(HistogramError) {
          let histogram = try HistogramV2Codec.decode(base64: metric.histogram.data)
          if merged[name] == nil {
            merged[name] = (histogram, 1)
          } else {
            try merged[name]?.histogram.merge(histogram)
            merged[name]?.runs += 1
          }
        } catch {
          return (index, "metrics.\(name): \(error)")
        }
      }
    }
    metrics = merged.mapValues { PooledLatencies($0.histogram, runs: $0.runs) }
    return nil
  }
}
