import Glibc
import Latency
import Testing

@testable import ProcessControl

@Suite struct TerminationEscalationTests {
  private static func at(_ milliseconds: Int) -> Instant { .distantPast + .milliseconds(milliseconds) }

  /// Signals after a first one at 5 s, each with its distance in ms, and what the last of them means.
  @Test(
    arguments: [
      ([(SIGTERM, 0)], .isRepetition), ([(SIGINT, 999)], .isRepetition), ([(SIGINT, 1000)], .endsAtOnce),
      ([(SIGTERM, 1), (SIGTERM, 999)], .isRepetition), ([(SIGTERM, 1), (SIGHUP, 1000)], .endsAtOnce),
      ([(SIGHUP, 3_600_000)], .endsAtOnce), ([(SIGQUIT, 1000)], .endsAtOnce),
    ] as [([(Int32, Int)], TerminationEscalation.Meaning)], [SIGINT, SIGTERM, SIGHUP, SIGQUIT])
  func aRepetitionWithinASecondIsTheSameSignal(
    later: ([(Int32, Int)], TerminationEscalation.Meaning), first: Int32
  ) {
    var order = TerminationEscalation()
    #expect(order.receive(first, at: Self.at(5000)) == .endsInOrder)
    let meanings = later.0.map { order.receive($0.0, at: Self.at(5000 + $0.1)) }
    #expect(meanings.last == later.1)
  }

  /// Ctrl-\\ after Ctrl-C is a person who has waited long enough; SIGQUIT twice is one sender that signals everything.
  @Test(
    arguments: [(SIGINT, .endsAtOnce), (SIGTERM, .endsAtOnce), (SIGQUIT, .isRepetition)]
      as [(Int32, TerminationEscalation.Meaning)])
  func aQuitWithinASecondEndsAtOnceUnlessTheFirstOneWasAQuit(first: Int32, meaning: TerminationEscalation.Meaning) {
    var order = TerminationEscalation()
    #expect(order.receive(first, at: Self.at(5000)) == .endsInOrder)
    #expect(order.receive(SIGQUIT, at: Self.at(5001)) == meaning)
  }
}
