import Glibc
import Testing

@testable import ProcessControl

@Suite struct EndSignalOrderTests {
  private static let ms: UInt64 = 1_000_000

  /// Signals after a first one at 5 s, each with its distance in ms, and what the last of them means.
  @Test(
    arguments: [
      ([(SIGTERM, 0)], .isRepetition), ([(SIGINT, 999)], .isRepetition), ([(SIGINT, 1000)], .endsAtOnce),
      ([(SIGTERM, 1), (SIGTERM, 999)], .isRepetition), ([(SIGTERM, 1), (SIGHUP, 1000)], .endsAtOnce),
      ([(SIGHUP, 3_600_000)], .endsAtOnce), ([(SIGQUIT, 1000)], .endsAtOnce),
    ] as [([(Int32, UInt64)], EndSignalOrder.Meaning)], [SIGINT, SIGTERM, SIGHUP, SIGQUIT])
  func aRepetitionWithinASecondIsTheSameSignal(
    later: ([(Int32, UInt64)], EndSignalOrder.Meaning), first: Int32
  ) {
    var order = EndSignalOrder()
    #expect(order.receive(first, at: 5000 * Self.ms) == .endsInOrder)
    let meanings = later.0.map { order.receive($0.0, at: (5000 + $0.1) * Self.ms) }
    #expect(meanings.last == later.1)
  }

  /// Ctrl-\\ after Ctrl-C is a person who has waited long enough; SIGQUIT twice is one sender that signals everything.
  @Test(
    arguments: [(SIGINT, .endsAtOnce), (SIGTERM, .endsAtOnce), (SIGQUIT, .isRepetition)]
      as [(Int32, EndSignalOrder.Meaning)])
  func aQuitWithinASecondEndsAtOnceUnlessTheFirstOneWasAQuit(first: Int32, meaning: EndSignalOrder.Meaning) {
    var order = EndSignalOrder()
    #expect(order.receive(first, at: 5000 * Self.ms) == .endsInOrder)
    #expect(order.receive(SIGQUIT, at: 5001 * Self.ms) == meaning)
  }
}
