import Testing

@testable import InfraBench

/// The phases of a task's start from stamps.
@Suite struct TaskStartPhasesTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    /// The last poll that didn't show it RUNNING was sent, the first that did was answered.
    var running: (UInt64, UInt64)?
    var connected: (UInt64, UInt64)
    var pendingToRunning: UInt64
    var waitConnection: UInt64?
    var runningResolution: UInt64
    var connectedResolution: UInt64
    var testDescription: String { name }
  }

  /// RunTask is sent at 1000 and answered at 1200.
  static let cases = [
    Case(
      name: "RUNNING, then connected", running: (4900, 5200), connected: (6000, 6100), pendingToRunning: 4000,
      waitConnection: 900, runningResolution: 300, connectedResolution: 100),
    Case(
      name: "both at one instant", running: (4900, 5200), connected: (5100, 5200), pendingToRunning: 4000,
      waitConnection: 0, runningResolution: 300, connectedResolution: 100),
    Case(
      name: "RUNNING by the first poll", running: (1200, 1400), connected: (1500, 1600), pendingToRunning: 200,
      waitConnection: 200, runningResolution: 200, connectedResolution: 100),
    Case(
      name: "never seen RUNNING before it was connected", running: nil, connected: (3000, 3200), pendingToRunning: 2000,
      waitConnection: nil, runningResolution: 200, connectedResolution: 200),
    Case(
      name: "the gateway's answer was read before ECS's", running: (4900, 5200), connected: (5000, 5100),
      pendingToRunning: 3900, waitConnection: nil, runningResolution: 100, connectedResolution: 100),
    Case(
      name: "no look before RunTask's answer counts", running: (900, 1500), connected: (800, 1600),
      pendingToRunning: 300, waitConnection: 100, runningResolution: 300, connectedResolution: 400),
  ]

  @Test(arguments: cases) func phasesAreUpperEndsAndAddUpToTheStart(_ test: Case) {
    let crossing = { (ends: (UInt64, UInt64)) in
      Crossing(lastNegativeSentAt: ends.0, firstPositiveAnsweredAt: ends.1)
    }
    let phases = TaskStartPhases(
      sentAt: 1000, answeredAt: 1200, running: test.running.map(crossing), connected: crossing(test.connected))
    #expect(phases.runTask == 200)
    #expect(phases.pendingToRunning == test.pendingToRunning)
    #expect(phases.waitConnection == test.waitConnection)
    #expect(phases.runningResolution == test.runningResolution)
    #expect(phases.connectedResolution == test.connectedResolution)
    let whole = test.connected.1 - 1000
    #expect(phases.runTask + phases.pendingToRunning + (phases.waitConnection ?? 0) == whole)
  }
}
