import Latency
import Transport

/// How late a loop's timer alone wakes it, with nothing else to do: what a generator's lateness is compared with, in the
/// same minute and on the same core. Prints one JSON line: µs, the 50th and the 99th percentile.
///
///     benchmark-timer RATE SECONDS [SPIN_MICROSECONDS]
///
/// With SPIN_MICROSECONDS the timer is set that much earlier, and the loop spins for the rest, as with `--precise`.
@main
struct Main {
  static func main() async {
    let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    guard arguments.count >= 2, arguments[0] > 0, arguments[1] > 0 else {
      return print("usage: benchmark-timer RATE SECONDS [SPIN_MICROSECONDS]")
    }
    let spin = Nanoseconds.microseconds(arguments.count > 2 ? arguments[2] : 0)
    let executor = LoopGroup(threads: 1).executor(forUser: 0)
    let histogram = await withTaskExecutorPreference(executor) {
      await lateness(on: executor, waits: arguments[0] * arguments[1], apart: .seconds(1) / arguments[0], spin: spin)
    }
    let (p50, p99) = (histogram.value(atPercentile: 50), histogram.value(atPercentile: 99))
    print("{\"p50Us\": \(Double(p50) / 1000), \"p99Us\": \(Double(p99) / 1000)}")
  }

  private static func lateness(
    on executor: LoopExecutor, waits: Int, apart: Nanoseconds, spin: Nanoseconds
  ) async -> LatencyHistogram {
    var histogram = LatencyHistogram()
    let begin = MonotonicClock.now()
    for number in 1...waits {
      let due = begin + apart * number
      let wait = (due - spin).elapsed(since: MonotonicClock.now())
      if wait > .zero { await executor.sleep(for: wait) }
      var now = MonotonicClock.now()
      if spin > .zero { while now < due { now = MonotonicClock.now() } }
      histogram.record(max(1, now.elapsed(since: due)))
    }
    return histogram
  }
}
