import Glibc
import Histogram
import Latency

/// What recording one latency and asking for a P99 cost, by the suite's histogram and by the Swift package of the same layout,
/// 1 ns to 1 h with three digits. Prints a JSON line per round and implementation.
///
///     benchmark-histogram [ROUNDS]
@main
struct Main {
  private static let passes = 400
  private static let queries = 2000

  static func main() {
    #if DEBUG
      print("this is a debug build, whose figures mean nothing: build with -c release")
    #else
      let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 5
      let values = latencies()
      for _ in 0..<rounds {
        measureOwn(values)
        measurePackage(values)
      }
    #endif
  }

  /// Times from 100 µs to 200 ms, in ns, each doubling half as frequent as the one before.
  private static func latencies() -> [UInt64] {
    var state: UInt64 = 1
    return (0..<65_536).map { _ in
      // SplitMix64 (Steele, Lea, Flood 2014).
      state &+= 0x9e37_79b9_7f4a_7c15
      var bits = state
      bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
      bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
      bits ^= bits >> 31
      let tail = UInt64(min(10, bits.trailingZeroBitCount))
      return (100_000 + (bits >> 32) % 100_000) << tail
    }
  }

  // Plain loops over local variables: a closure would keep the histogram's fields in memory from record to record.

  private static func measureOwn(_ values: [UInt64]) {
    var histogram = LatencyHistogram()
    let begin = cpuTime()
    for _ in 0..<passes {
      for value in values { histogram.record(value) }
    }
    let recorded = cpuTime()
    var sum: UInt64 = 0
    for _ in 0..<queries { sum &+= histogram.value(atPercentile: 99) }
    report("own", recorded - begin, passes * values.count, cpuTime() - recorded, queries, sum)
  }

  private static func measurePackage(_ values: [UInt64]) {
    var histogram = Histogram<UInt64>(
      lowestDiscernibleValue: 1, highestTrackableValue: 3_600_000_000_000, numberOfSignificantValueDigits: .three)
    let begin = cpuTime()
    for _ in 0..<passes {
      for value in values { histogram.record(value) }
    }
    let recorded = cpuTime()
    var sum: UInt64 = 0
    for _ in 0..<queries / 20 { sum &+= histogram.valueAtPercentile(99) }
    report("hdrhistogram-swift", recorded - begin, passes * values.count, cpuTime() - recorded, queries / 20, sum)
  }

  /// CPU time of this thread, in ns: nothing here waits, so that other programs on the machine don't count.
  private static func cpuTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
  }

  private static func report(
    _ name: String, _ recording: Double, _ records: Int, _ querying: Double, _ queries: Int, _ sum: UInt64
  ) {
    let (record, query) = (recording / Double(records), querying / Double(queries))
    // The sum is what keeps the compiler from leaving the queries out.
    let p99 = sum / UInt64(queries)
    print(#"{"name":"\#(name)","recordNs":\#(record),"queryNs":\#(query),"p99":\#(p99)}"#)
  }
}
