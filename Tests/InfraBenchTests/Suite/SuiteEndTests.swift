import Glibc
import ProcessControl
import Testing

@testable import InfraBench

/// What a signal, a deadline and a tool's end mean to the suite.
@Suite struct SuiteEndTests {
  private static let second: UInt64 = 1_000_000_000

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGQUIT]) func aSignalGoesToTheToolOnce(signal: Int32) {
    var end = SuiteEnd()
    #expect(end.receive(signal, at: 5) == [.signalTool(signal)])
    #expect(end.cause == .signal(signal))
    // As `timeout` does it: alone, then with the group.
    #expect(end.receive(SIGTERM, at: 6) == [])
    #expect(end.receive(SIGTERM, at: 5 + Self.second - 1) == [])
    #expect(end.cause == .signal(signal))
  }

  @Test func aSignalASecondLaterEndsAtOnce() {
    var end = SuiteEnd()
    _ = end.receive(SIGINT, at: 0)
    #expect(end.receive(SIGTERM, at: Self.second) == [.signalTool(SIGTERM), .hurry])
    #expect(end.cause == .signal(SIGINT), "the first one is the one that the exit status names")
  }

  @Test func theDeadlineAsksTheToolToEndAndASignalAfterItDoesNotEndItAtOnce() {
    var end = SuiteEnd()
    #expect(end.passDeadline() == [.signalTool(SIGTERM)])
    #expect(end.cause == .deadline && end.cause?.exitStatus == 1)
    #expect(end.receive(SIGINT, at: 3 * Self.second) == [])
    #expect(end.cause == .signal(SIGINT))
  }

  @Test func aDeadlineAfterASignalIsNothing() {
    var end = SuiteEnd()
    _ = end.receive(SIGINT, at: 0)
    #expect(end.passDeadline() == [])
    #expect(end.cause == .signal(SIGINT))
  }

  @Test func aToolThatSomebodyInterruptsAloneEndsTheSuite() {
    var end = SuiteEnd()
    end.toolEnded(ToolEnd(.exited(99)))
    #expect(end.cause == nil)
    end.toolEnded(ToolEnd(.exited(143)))
    #expect(end.cause == .signal(SIGTERM))
  }

  @Test(
    arguments: [
      (.exited(0), 0, nil, nil), (.exited(99), 99, nil, nil), (.exited(64), 64, nil, nil), (.exited(1), 1, nil, nil),
      (.exited(130), 130, nil, SIGINT), (.exited(129), 129, nil, SIGHUP),
      // Before the tool could see to it.
      (.signaled(SIGTERM), 143, nil, SIGTERM), (.signaled(SIGHUP), 129, nil, SIGHUP),
      (.signaled(SIGKILL), 1, "SIGKILL", nil), (.signaled(SIGSEGV), 1, "it crashed: SIGSEGV", nil),
      (.exited(137), 1, "137", nil), (.unknown, 1, "not known", nil),
    ] as [(ExitStatus, Int32, String?, Int32?)])
  func howAToolEndedIsSaidInTheContractsWords(exit: ExitStatus, status: Int32, reason: String?, signal: Int32?) {
    let end = ToolEnd(exit)
    #expect(end.status == status && end.interruption == signal)
    #expect(reason.map { end.reason?.contains($0) == true } ?? (end.reason == nil), "\(end.reason ?? "nil")")
  }

  @Test(
    arguments: [
      ([0, 0], 0), ([0, 99, 0], 99), ([99, 1], 1), ([1, 64, 99], 64), ([64, 130, 1], 130), ([139, 99], 139), ([], 0),
    ] as [([Int32], Int32)])
  func theWorstStatusDecides(_ statuses: [Int32], _ worst: Int32) {
    #expect(SuiteSummary.worst(statuses) == worst)
  }
}
