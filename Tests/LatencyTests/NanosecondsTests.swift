import Latency
import Testing

@Suite struct NanosecondsTests {
  private static let most = Nanoseconds.max

  @Test(
    arguments: [
      (.seconds(2), 2_000_000_000), (.milliseconds(3), 3_000_000), (.microseconds(4), 4_000), (.nanoseconds(5), 5),
      (6, 6), (.zero, 0), (.max, .max),
      // Out of range: the nearest end.
      (.seconds(-1), 0), (.nanoseconds(Int8.min), 0), (.seconds(UInt64.max), .max), (.nanoseconds(Int128.max), .max),
      (.seconds(18_446_744_073), 18_446_744_073_000_000_000), (.seconds(18_446_744_074), .max),
    ] as [(Nanoseconds, UInt64)])
  func wholeNumbersOfEveryUnit(length: Nanoseconds, nanoseconds: UInt64) {
    #expect(length.nanoseconds == nanoseconds)
  }

  @Test(
    arguments: [
      (.seconds(1.5), 1_500_000_000), (.milliseconds(0.25), 250_000), (.microseconds(0.1), 100), (.nanoseconds(2.5), 3),
      (.nanoseconds(0.4), 0), (.seconds(-0.1), 0), (.seconds(-Double.infinity), 0), (.seconds(Double.infinity), .max),
      (.nanoseconds(0x1p64), .max), (.nanoseconds(0x1p64.nextDown), 0xffff_ffff_ffff_f800), (.seconds(1e300), .max),
    ] as [(Nanoseconds, UInt64)])
  func decimalNumbersAreRoundedToTheNearest(length: Nanoseconds, nanoseconds: UInt64) {
    #expect(length.nanoseconds == nanoseconds)
  }

  @Test(
    arguments: [
      (0, 0, 0), (1_500_000, 1.5, 0.0015), (.seconds(90), 90_000, 90), (.max, 0x1p64 / 1e6, 0x1p64 / 1e9),
    ] as [(Nanoseconds, Double, Double)])
  func isReadAsMillisecondsAndSeconds(length: Nanoseconds, milliseconds: Double, seconds: Double) {
    #expect(length.milliseconds == milliseconds)
    #expect(length.seconds == seconds)
  }

  @Test(
    arguments: [
      (0, 0, 0, 0), (3, 2, 5, 1), (2, 3, 5, 0), (.max, 0, .max, .max), (.max, 1, .max, most - 1), (1, .max, .max, 0),
      (.max, .max, .max, 0), (most - 1, 1, .max, most - 2),
    ] as [(Nanoseconds, Nanoseconds, Nanoseconds, Nanoseconds)])
  func sumsAndDifferencesStayInRange(
    one: Nanoseconds, other: Nanoseconds, sum: Nanoseconds, difference: Nanoseconds
  ) {
    #expect(one + other == sum)
    #expect(one - other == difference)
    var changed = one
    changed += other
    #expect(changed == sum)
    changed = one
    changed -= other
    #expect(changed == difference)
  }

  @Test(
    arguments: [
      (0, 5, 0), (3, 4, 12), (7, 0, 0), (7, -1, 0), (.max, 1, .max), (.max, 2, .max), (.max, 0, 0),
      (.nanoseconds(1 << 32), 1 << 32, .max), (.nanoseconds(1 << 32), 1 << 31, .nanoseconds(1 << 63 as UInt64)),
    ] as [(Nanoseconds, Int, Nanoseconds)])
  func productsStayInRange(length: Nanoseconds, factor: Int, product: Nanoseconds) {
    #expect(length * factor == product)
    #expect(factor * length == product)
  }

  @Test func isDividedIntoPartsAndByLengths() {
    #expect(Nanoseconds.seconds(1) / 3 == 333_333_333)
    // A literal divides into parts: it isn't how often two nanoseconds fit.
    let half = Nanoseconds.seconds(1) / 2
    #expect(half == .milliseconds(500))
    #expect(Nanoseconds.seconds(7) / .seconds(2) == 3)
    #expect(Nanoseconds.seconds(7) % .seconds(2) == .seconds(1))
    #expect("\(Nanoseconds.seconds(1.9999) / .milliseconds(1)) ms" == "1999 ms")
    #expect(Nanoseconds.zero / .max == 0)
    #expect(Nanoseconds.max / .max == 1)
  }

  @Test func isOrderedByItsLength() {
    let growing: [Nanoseconds] = [.zero, 1, 999, .microseconds(1), .milliseconds(1), .seconds(1), .max]
    #expect(growing.reversed().sorted() == growing)
    for (index, length) in growing.enumerated() {
      #expect(growing.map { $0 < length } == growing.indices.map { $0 < index })
      #expect(growing.map { $0 == length } == growing.indices.map { $0 == index })
    }
    #expect(Set(growing + growing).count == growing.count)
  }

  @Test func isWrittenAsLatenciesAre() {
    #expect("\(Nanoseconds.microseconds(830)) of \(Nanoseconds.seconds(1.52))" == "830µs of 1.52s")
    #expect("\([Nanoseconds.zero, .max])" == "[0ns, 18446744074s]")
  }

  @Test func isRecordedAsItsNanoseconds() {
    var recorded = LatencyHistogram()
    recorded.record(.milliseconds(2))
    #expect(recorded == histogram([2_000_000]))
  }

  @Test func tasksSleepForIt() async throws {
    let begin = MonotonicClock.now()
    try await Task.sleep(for: Nanoseconds.milliseconds(2))
    #expect(MonotonicClock.now() - begin >= .milliseconds(2))
  }

  @Test func whatIsNoNumberIsNoLength() async {
    await #expect(processExitsWith: .failure) { _ = Nanoseconds.seconds(Double.nan) }
    await #expect(processExitsWith: .failure) { _ = Nanoseconds.seconds(1) / (Int(CommandLine.argc) * 0) }
  }
}
