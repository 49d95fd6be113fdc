import Latency
import Testing

@Suite struct DurationTextTests {
  @Test(
    arguments: [
      ("250ms", .milliseconds(250)), ("1.5s", .milliseconds(1500)), ("2m", .seconds(120)), ("1h", .seconds(3600)),
      ("0s", .zero), ("0.001ms", .microseconds(1)), ("10us", .microseconds(10)), ("10µs", .microseconds(10)),
      ("7ns", 7),
      ("00012s", .seconds(12)), ("0.5m", .seconds(30)), ("1.5ns", 2), ("8784h", .seconds(31_622_400)),
    ] as [(String, Nanoseconds)])
  func durationsAreParsed(_ text: String, _ length: Nanoseconds) { #expect(DurationText.parse(text) == length) }

  @Test(arguments: [
    "", "1", "ms", "s", "1 s", " 1s", "1s ", "-1s", "+1s", "1e3s", "0x1s", "1,5s", "1..5s", "1.5.5s", "1.s", ".s", "1S",
    "1MS",
    "1min", "1d", "1sm", "infs", "nans", "٣s", "1\u{0}s", "1s\n", "1s\u{301}", "9000h", "8785h",
    "123456789012345678901s",
    "99999999999999999999h", "1ss", "1h30m", "0.0.s", "１s", "½s", "1.½s", "²s", ".5s", "1μs",
  ])
  func whatIsNoDurationIsRefused(_ text: String) { #expect(DurationText.parse(text) == nil) }

  @Test(
    arguments: [
      ("200us", .microseconds(200)), ("1.5ms", .microseconds(1500)), ("10s", .seconds(10)), ("10.000000001s", nil),
      ("11s", nil), ("1m", nil), ("0.1m", nil), ("5ns", nil), ("200µs", nil),
    ] as [(String, Nanoseconds?)])
  func callersHaveTheirUnitsAndTheirBound(_ text: String, _ length: Nanoseconds?) {
    #expect(DurationText.parse(text, units: [.us, .ms, .s], upTo: .seconds(10)) == length)
  }

  @Test(arguments: 0..<4) func whatIsWrittenIsReadBack(_ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<500 {
      let unit: Nanoseconds =
        [.nanoseconds(1), .microseconds(1), .milliseconds(1), .seconds(1), .seconds(60)]
        .randomElement(using: &random) ?? 1
      let length = unit * Int.random(in: 0...10_000, using: &random)
      #expect(DurationText.parse(DurationText.write(length)) == length)
    }
    #expect(DurationText.write(.zero) == "0s" && DurationText.write(.seconds(90)) == "90s")
    #expect(DurationText.write(.seconds(3600)) == "1h" && DurationText.write(.microseconds(1500)) == "1500us")
    #expect(DurationText.write(1_000_001) == "1000001ns")
  }
}
