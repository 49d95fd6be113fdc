import Latency
import Testing

@testable import LoadEngine

@Suite struct RateTextTests {
  static let rates: [(String, ArrivalRate)] = [
    ("200/s", ArrivalRate(starts: 200, period: .seconds(1))),
    ("30/m", ArrivalRate(starts: 30, period: .seconds(60))),
    ("0.5/s", ArrivalRate(starts: 5, period: .seconds(10))),
    ("5/h", ArrivalRate(starts: 5, period: .seconds(3_600))),
    ("0.333333/h", ArrivalRate(starts: 333_333, period: .seconds(3_600_000_000))),
    ("1000000/s", ArrivalRate(starts: 1_000_000, period: .seconds(1))),
    ("3600000000/h", ArrivalRate(starts: 3_600_000_000, period: .seconds(3_600))),
    ("0/s", ArrivalRate(starts: 0, period: .seconds(1))),
    ("12.05/m", ArrivalRate(starts: 1205, period: .seconds(6_000))),
  ]

  @Test(arguments: rates) func aRateIsExactAndWrittenAsItWasRead(_ text: String, _ rate: ArrivalRate) {
    #expect(RateText.parse(text) == rate)
    #expect(RateText.write(rate) == text)
  }

  @Test(arguments: [("007/s", "7/s"), ("0.50/s", "0.5/s"), ("2.000000/m", "2/m"), ("0.0/s", "0/s")])
  func zerosWithoutMeaningAreLeftOut(_ text: String, _ shortest: String) throws {
    #expect(RateText.write(try #require(RateText.parse(text))) == shortest)
  }

  @Test(arguments: [
    "", "/", "/s", "5", "5/", "5s", "5/ms", "5/d", "5/S", "5/s ", " 5/s", "5 /s", "-1/s", "+1/s", "1e3/s", ".5/s",
    "5./s", "1.2.3/s", "5//s", "5/s/s", "1,5/s", "0x5/s", "nan/s", "inf/s", "٥/s", "5\u{301}/s", "1_000/s",
    "1.0000001/s", "12345678901/h", "1000000.000001/s", "1000001/s", "60000001/m", "3600000001/h",
    "99999999999999999999999999/s",
  ])
  func whatIsNoRateIsRefused(_ text: String) {
    #expect(RateText.parse(text) == nil)
  }

  @Test(arguments: [
    (ArrivalRate(starts: 1, period: 3), "333333333.333333/s"), (ArrivalRate(starts: 1, period: .seconds(2)), "0.5/s"),
    (ArrivalRate(starts: .max, period: 0), "18446744073709.551615/s"), (ArrivalRate(starts: 1, period: .max), "0/s"),
  ])
  func anyOtherRateIsWrittenPerSecond(_ rate: ArrivalRate, _ text: String) {
    #expect(RateText.write(rate) == text)
  }

  @Test func aRateSaysItsStartsPerSecond() {
    #expect(RateText.parse("30/m")?.perSecond == 0.5)
    #expect(RateText.parse("0.25/s")?.perSecond == 0.25)
  }
}
