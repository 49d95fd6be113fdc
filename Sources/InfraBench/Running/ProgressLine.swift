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
  /// Starts that are due and find no free user.
  var waiting: UInt64

  init(_ progress: ProgressCounter, of load: LoadSettings, elapsed: UInt64, rate: Double) {
    self.elapsed = elapsed
    done = progress.done
    count = load.count
    self.rate = rate
    percentiles = progress.percentiles
    failed = progress.failed
    inFlight = progress.started > 0 ? progress.inFlight : nil
    dropped = progress.dropped
    waiting = progress.waiting
  }

  /// `12 s: 2400 of 5000 done, 200/s, 0 failed, 3 dropped, 7 waiting, P50 1.02ms, P99 4.10ms, 12 in flight`; what isn't
  /// known or didn't happen is left out. What goes wrong comes first: a narrow terminal shows the beginning.
  var text: String {
    var facts = ["\(done)\(count.map { " of \($0)" } ?? "") done"]
    if done > 0 { facts.append("\(Figures.fixed(rate, significant: 3))/s") }
    facts.append("\(failed) failed")
    if dropped > 0 { facts.append("\(dropped) dropped") }
    if waiting > 0 { facts.append("\(waiting) waiting") }
    if let percentiles {
      facts.append("P50 \(LatencyText.format(percentiles.p50))")
      facts.append("P99 \(LatencyText.format(percentiles.p99))")
    }
    if let inFlight { facts.append("\(inFlight) in flight") }
    return "\(elapsed / 1_000_000_000) s: " + facts.joined(separator: ", ")
  }
}
