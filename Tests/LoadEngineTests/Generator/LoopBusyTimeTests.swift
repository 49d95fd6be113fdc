import Latency
import TestSupport
import Testing

@testable import LoadEngine

/// The worst second of a thread, wherever it begins.
@Suite struct LoopBusyTimeTests {
  private static let ms: Nanoseconds = .milliseconds(1)

  /// Spans of 100 ms, each with so many ms of use.
  private func seconds(of used: [UInt64]) -> LoopBusyTime {
    var seconds = LoopBusyTime()
    for used in used { seconds.add(.init(length: 100 * Self.ms, used: used * Self.ms, late: 0)) }
    return seconds
  }

  @Test func lessThanASecondIsNotJudged() {
    #expect(seconds(of: Array(repeating: 100, count: 9)).worst.share == 0)
    #expect(seconds(of: Array(repeating: 100, count: 10)).worst.share == 1)
  }

  @Test func aSecondIsFoundWhereverItBegins() {
    for lead in 0..<30 {
      let seconds = seconds(of: Array(repeating: 5, count: lead) + Array(repeating: 95, count: 10) + [5, 5, 5])
      #expect(abs(seconds.worst.share - 0.95) < 1e-9 && seconds.worst.cause == .cpu)
    }
  }

  @Test func aStopIsSeenAtEveryPhase() {
    // Stopped for 1.05 s: the reading that was due after `phase` ms comes that much later.
    for phase in stride(from: 0, through: 100, by: 5) as StrideThrough<UInt64> {
      var seconds = seconds(of: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
      let late = 1050 - (100 - phase)
      seconds.add(.init(length: (100 + late) * Self.ms, used: 1 * Self.ms, late: late * Self.ms))
      for _ in 0..<12 { seconds.add(.init(length: 100 * Self.ms, used: Self.ms, late: 0)) }
      #expect(seconds.worst.share > 0.9 && seconds.worst.cause == .blocked, "\(phase): \(seconds.worst)")
    }
  }

  @Test func halfASecondAtATimeIsNoWholeSecond() {
    var seconds = LoopBusyTime()
    for _ in 0..<20 {
      seconds.add(.init(length: 600 * Self.ms, used: Self.ms, late: 500 * Self.ms))
      for _ in 0..<5 { seconds.add(.init(length: 100 * Self.ms, used: Self.ms, late: 0)) }
    }
    #expect(seconds.worst.share > 0.4 && seconds.worst.share < 0.6)
  }

  @Test func aThreadThatIsLateBecauseItWorksIsCountedOnce() {
    var seconds = LoopBusyTime()
    for _ in 0..<10 { seconds.add(.init(length: 200 * Self.ms, used: 110 * Self.ms, late: 100 * Self.ms)) }
    #expect(abs(seconds.worst.share - 0.55) < 1e-9 && seconds.worst.cause == .cpu)
  }

  @Test func aSecondDoesNotReachAcrossWhatWasNotWatched() {
    var seconds = seconds(of: Array(repeating: 100, count: 6))
    seconds.interrupt()
    for _ in 0..<6 { seconds.add(.init(length: 100 * Self.ms, used: 100 * Self.ms, late: 0)) }
    #expect(seconds.worst.share == 0)
    for _ in 0..<4 { seconds.add(.init(length: 100 * Self.ms, used: 100 * Self.ms, late: 0)) }
    #expect(seconds.worst.share == 1)
  }

  /// Random spans against a model that looks at every nanosecond of a coarse grid.
  @Test(arguments: 0..<60 as Range<UInt64>) func theWorstSecondIsNeverBelowThatOfWholeSpans(_ seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var seconds = LoopBusyTime()
    var spans: [LoopBusyTime.Span] = []
    var best = 0.0
    for _ in 0..<60 {
      let length = Int.random(in: 1...40, using: &random) * 25 * Self.ms
      let span = LoopBusyTime.Span(
        length: length, used: Nanoseconds(.random(in: 0...length.nanoseconds, using: &random)),
        late: Bool.random(using: &random) ? 0 : Nanoseconds(.random(in: 0...length.nanoseconds, using: &random)))
      spans.append(span)
      seconds.add(span)
      // The last spans that make exactly one second, where there are such.
      var (length2, busy) = (Nanoseconds.zero, Nanoseconds.zero)
      for span in spans.reversed() where length2 < 1000 * Self.ms {
        length2 += span.length
        busy += max(span.used, span.late)
      }
      if length2 == 1000 * Self.ms { best = max(best, busy.seconds) }
      #expect(seconds.worst.share >= best - 1e-9 && seconds.worst.share <= 1)
    }
  }
}
