import Latency
import LoadEngine

/// What there is to say of a run that goes on, in one line.
struct ProgressLine: Sendable {
  /// In ns.
  var elapsed: UInt64
  var done: UInt64
  /// How many there will be, where that is known.
  var count: Int?
  /// Iterations per second of late.
  var rate: Double
  /// Of the tool's main metric, in ns.
  var percentiles: ProgressCounter.Percentiles?
  var failed: UInt64
  /// Nil where the load does not tell of its starts.
  var inFlight: UInt64?
  var dropped: UInt64

  init(_ progress: ProgressCounter, of load: LoadSettings, elapsed: UInt64, rate: Double) {
    self.elapsed = elapsed
    done = progress.done
    count = load.count
    self.rate = rate
    percentiles = progress.percentiles
    failed = progress.failed
    inFlight = progress.started > 0 ? progress.inFlight : nil
    dropped = progress.dropped
  }

  /// `12 s: 2400 of 5000 done, 200/s, P50 1.02ms, P99 4.10ms, 0 failed, 12 in flight, 3 dropped`; what isn't known or
  /// didn't happen is left out.
  var text: String {
    var facts = ["\(done)\(count.map { " of \($0)" } ?? "") done"]
    if done > 0 { facts.append("\(Figures.fixed(rate, significant: 3))/s") }
    if let percentiles {
      facts.append("P50 \(LatencyText.format(percentiles.p50))")
      facts.append("P99 \(LatencyText.format(percentiles.p99))")
    }
    facts.append("\(failed) failed")
    if let inFlight { facts.append("\(inFlight) in flight") }
    if dropped > 0 { facts.append("\(dropped) dropped") }
    return "\(elapsed / 1_000_000_000) s: " + facts.joined(separator: ", ")
  }
}
