import Latency
import Testing

@Suite struct LatencyTextTests {
  @Test(
    arguments: [
      (0, "0ns"), (1, "1ns"), (12, "12ns"), (999, "999ns"),
      (1_000, "1.00µs"), (1_004, "1.00µs"), (1_005, "1.01µs"), (9_994, "9.99µs"), (9_995, "10.0µs"), (10_049, "10.0µs"),
      (10_050, "10.1µs"), (99_949, "99.9µs"), (99_950, "100µs"), (830_000, "830µs"), (999_499, "999µs"),
      (999_500, "1.00ms"), (47_900_000, "47.9ms"), (48_000_000, "48.0ms"), (200_049_999, "200ms"),
      (999_499_999, "999ms"), (999_500_000, "1.00s"), (1_520_000_000, "1.52s"), (60_000_000_000, "60.0s"),
      (999_499_999_999, "999s"), (999_500_000_000, "1000s"), (3_600_000_000_000, "3600s"),
      (UInt64.max, "18446744074s"),
    ] as [(UInt64, String)])
  func nanosecondsReadWithThreeFigures(nanoseconds: UInt64, text: String) {
    #expect(LatencyText.format(nanoseconds) == text)
  }

  @Test(
    arguments: [
      (0, "0ns"), (0.5, "1ns"), (47_899_999.7, "47.9ms"), (-1, "-"), (.nan, "-"), (.infinity, "-"), (1e30, "-"),
    ] as [(Double, String)])
  func meansReadLikeValues(nanoseconds: Double, text: String) {
    #expect(LatencyText.format(nanoseconds) == text)
  }
}
