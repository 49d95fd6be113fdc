import Glibc
import Latency
import Testing

@Suite struct InstantTests {
  private static func at(_ nanoseconds: UInt64) -> Instant { Instant(nanoseconds: nanoseconds) }

  @Test(
    arguments: [
      (at(5), 0, at(5), at(5)), (at(5), 3, at(8), at(2)), (at(5), 6, at(11), .distantPast),
      (.distantPast, 1, at(1), .distantPast), (.distantPast, .max, .distantFuture, .distantPast),
      (.distantFuture, 0, .distantFuture, .distantFuture), (.distantFuture, 1, .distantFuture, at(.max - 1)),
      (at(.max - 1), 2, .distantFuture, at(.max - 3)), (at(7), .max, .distantFuture, .distantPast),
    ] as [(Instant, Nanoseconds, Instant, Instant)])
  func movesByALengthWithinTheClocksRange(instant: Instant, length: Nanoseconds, later: Instant, earlier: Instant) {
    #expect(instant + length == later)
    #expect(instant - length == earlier)
    var moved = instant
    moved += length
    #expect(moved == later)
  }

  @Test(
    arguments: [
      (at(5), at(5), 0, 0), (at(8), at(5), 3, 0), (at(5), at(8), 0, 3), (.distantFuture, .distantPast, .max, 0),
      (.distantPast, .distantFuture, 0, .max),
    ] as [(Instant, Instant, Nanoseconds, Nanoseconds)])
  func elapsedAndRemainingTimeIsNeverNegative(
    instant: Instant, other: Instant, elapsed: Nanoseconds, remaining: Nanoseconds
  ) {
    #expect(instant.elapsed(since: other) == elapsed)
    #expect(instant.remaining(until: other) == remaining)
  }

  @Test func differencesOfInstantsInOrderAreExact() {
    #expect(Self.at(8) - Self.at(5) == 3)
    #expect(Self.at(5) - Self.at(5) == .zero)
    #expect(Instant.distantFuture - .distantPast == .max)
  }

  @Test func aDifferenceInTheWrongOrderIsAMistake() async {
    await #expect(processExitsWith: .failure) { _ = Instant.distantPast - MonotonicClock.now() }
  }

  @Test func isOrderedByTime() {
    let growing = [.distantPast, Self.at(1), Self.at(1 << 63), .distantFuture]
    #expect(growing.reversed().sorted() == growing)
    for (index, instant) in growing.enumerated() {
      #expect(growing.map { $0 < instant } == growing.indices.map { $0 < index })
      #expect(growing.map { $0 == instant } == growing.indices.map { $0 == index })
    }
    #expect(Set(growing + growing).count == growing.count)
  }

  @Test func theClockGoesOn() {
    let instants = (0..<1000).map { _ in MonotonicClock.now() }
    #expect(instants.sorted() == instants)
    #expect(Instant.distantPast < instants[0])
    #expect(instants[999] < .distantFuture)
  }

  @Test func aClockOfTheSystemIsALength() {
    #expect(Nanoseconds(timespec(tv_sec: 3, tv_nsec: 7)) == .seconds(3) + 7)
  }
}
