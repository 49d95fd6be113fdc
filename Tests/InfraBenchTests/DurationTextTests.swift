import InfraBench
import TestSupport
import Testing
import Latency
@testable import Results

@Suite struct DurationTextTests {
  @Test(
    arguments: [
      ("250ms", 250_000_000), ("1.5s", 1_500_000_000), ("2m", 120_000_000_000), ("1h", 3_600_000_000_000), ("0s", 0),
      ("0.001ms", 1000), ("10us", 10_000), ("10µs", 10_000), ("7ns", 7), ("00012s", 12_000_000_000),
      ("0.5m", 30_000_000_000),
      ("8784h", 31_622_400_000_000_000),
    ] as [(String, UInt64)])
  func durationsAreParsed(_ text: String, _ nanoseconds: UInt64) { #expect(DurationText.parse(text) == nanoseconds) }

  @Test(arguments: [
    "", "1", "ms", "s", "1 s", " 1s", "1s ", "-1s", "+1s", "1e3s", "0x1s", "1,5s", "1..5s", "1.5.5s", "1.s", ".s", "1S",
    "1MS",
    "1min", "1d", "1sm", "infs", "nans", "٣s", "1\u{0}s", "1s\n", "1s\u{301}", "9000h", "8785h",
    "123456789012345678901s",
    "99999999999999999999h", "1ss", "1h30m", "0.0.s", "１s",
  ])
  func whatIsNoDurationIsRefused(_ text: String) { #expect(DurationText.parse(text) == nil) }

  @Test(arguments: 0..<4) func whatIsWrittenIsReadBack(_ seed: UInt64) {
    var random = SeededRandom(seed: seed)
    for _ in 0..<500 {
      let unit = [1, 1000, 1_000_000, 1_000_000_000, 60_000_000_000].randomElement(using: &random) ?? 1
      let nanoseconds = UInt64.random(in: 0...10_000, using: &random) * UInt64(unit)
      #expect(DurationText.parse(DurationText.write(nanoseconds)) == nanoseconds)
    }
    #expect(DurationText.write(0) == "0s" && DurationText.write(90_000_000_000) == "90s")
    #expect(DurationText.write(3_600_000_000_000) == "1h" && DurationText.write(1_500_000) == "1500us")
  }
}
