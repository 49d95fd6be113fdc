import Glibc
import Latency
import ProcessControl
import Testing
import TestSupport

@testable import InfraBench
@testable import Reports
@testable import Results

/// What a signal, a deadline and a tool's end mean to the suite.
@Suite struct SuiteEndTests {
  private static let second: Nanoseconds = .seconds(1)

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGQUIT]) func aSignalGoesToTheToolOnce(signal: Int32) {
    var end = SuiteEnd()
    #expect(end.receive(signal, at: 5) == [.signalTool(signal)])
    #expect(end.cause == .signal(signal))
    // As `timeout` does it: alone, then with the group.
    #expect(end.receive(SIGTERM, at: 6) == [])
    #expect(end.receive(SIGTERM, at: 5 + (Self.second - 1)) == [])
    #expect(end.cause == .signal(signal))
  }

  @Test func aSignalASecondLaterEndsAtOnce() {
    var end = SuiteEnd()
    _ = end.receive(SIGINT, at: 0)
    #expect(end.receive(SIGTERM, at: 0 + Self.second) == [.signalTool(SIGTERM), .hurry])
    #expect(end.cause == .signal(SIGINT), "the first one is the one that the exit status names")
  }

  @Test func theDeadlineAsksTheToolToEndAndASignalAfterItDoesNotEndItAtOnce() {
    var end = SuiteEnd()
    #expect(end.passDeadline() == [.signalTool(SIGTERM)])
    #expect(end.cause == .deadline && end.cause?.exitStatus == 1)
    #expect(end.receive(SIGINT, at: 0 + 3 * Self.second) == [])
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

  /// How a process ended, and what is made of it.
  struct Ending: Sendable {
    var exit: ProcessControl.ExitStatus
    var status: Int32
    var reason: String?
    var signal: Int32?
  }

  @Test(arguments: [
    Ending(exit: .exited(0), status: 0), Ending(exit: .exited(99), status: 99), Ending(exit: .exited(64), status: 64),
    Ending(exit: .exited(1), status: 1), Ending(exit: .exited(130), status: 130, signal: SIGINT),
    Ending(exit: .exited(129), status: 129, signal: SIGHUP),
    // Before the tool could see to it.
    Ending(exit: .signaled(SIGTERM), status: 143, signal: SIGTERM),
    Ending(exit: .signaled(SIGHUP), status: 129, signal: SIGHUP),
    Ending(exit: .signaled(SIGKILL), status: 1, reason: "SIGKILL"),
    Ending(exit: .signaled(SIGSEGV), status: 1, reason: "it crashed: SIGSEGV"),
    Ending(exit: .exited(137), status: 1, reason: "137"), Ending(exit: .unknown, status: 1, reason: "not known"),
  ])
  func howAToolEndedIsSaidInTheContractsWords(_ ending: Ending) {
    let end = ToolEnd(ending.exit)
    #expect(end.status == ending.status && end.interruption == ending.signal)
    if let reason = ending.reason {
      #expect(end.reason?.contains(reason) == true, "\(end.reason ?? "nil")")
    } else {
      #expect(end.reason == nil)
    }
  }

  @Test(
    arguments: [
      ([0, 0], 0), ([0, 99, 0], 99), ([99, 1], 1), ([1, 64, 99], 64), ([64, 130, 1], 130), ([139, 99], 139), ([], 0),
    ] as [([Int32], Int32)])
  func theWorstStatusDecides(_ statuses: [Int32], _ worst: Int32) {
    #expect(SuiteSummary.worst(statuses) == worst)
  }
}
