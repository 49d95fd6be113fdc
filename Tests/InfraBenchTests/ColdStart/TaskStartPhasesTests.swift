import Latency
import Testing
import TestSupport

@testable import InfraBench
@testable import Results

/// The phases of a task's start from stamps.
@Suite struct TaskStartPhasesTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    /// The last poll that didn't show it RUNNING was sent, the first that did was answered.
    var running: (Instant, Instant?)
    var connected: (Instant, Instant)
    var pendingToRunning: Nanoseconds
    var waitConnection: Nanoseconds?
    var runningResolution: Nanoseconds
    var connectedResolution: Nanoseconds
    var waitResolution: Nanoseconds?
    var testDescription: String { name }
  }

  /// RunTask is sent at 1000 and answered at 1200.
  static let cases = [
    Case(
      name: "RUNNING, then connected", running: (4900, 5200), connected: (6000, 6100), pendingToRunning: 4000,
      waitConnection: 1200, runningResolution: 300, connectedResolution: 100, waitResolution: 400),
    Case(
      name: "both at one instant", running: (4900, 5200), connected: (5100, 5200), pendingToRunning: 4000,
      waitConnection: 300, runningResolution: 300, connectedResolution: 100, waitResolution: 300),
    Case(
      name: "RUNNING by the first poll", running: (1200, 1400), connected: (1500, 1600), pendingToRunning: 200,
      waitConnection: 400, runningResolution: 200, connectedResolution: 100, waitResolution: 300),
    Case(
      name: "never seen RUNNING before it was connected", running: (2900, nil), connected: (3000, 3200),
      pendingToRunning: 2000, runningResolution: 300, connectedResolution: 200),
    Case(
      name: "ECS denied it after the gateway did", running: (3100, nil), connected: (3000, 3200),
      pendingToRunning: 2000, runningResolution: 200, connectedResolution: 200),
    Case(
      name: "the gateway's answer was read before ECS's", running: (4900, 5200), connected: (5000, 5100),
      pendingToRunning: 3900, runningResolution: 200, connectedResolution: 100),
    Case(
      name: "no look before RunTask's answer counts", running: (900, 1500), connected: (800, 1600),
      pendingToRunning: 300, waitConnection: 400, runningResolution: 300, connectedResolution: 400,
      waitResolution: 400),
  ]

  @Test(arguments: cases) func phasesAreUpperEndsAndCoverTheStart(_ test: Case) {
    let phases = TaskStartPhases(
      sentAt: 1000, answeredAt: 1200, notRunningSince: test.running.0, runningSeenAt: test.running.1,
      connected: ObservedTransition(lastNegativeSentAt: test.connected.0, firstPositiveAnsweredAt: test.connected.1))
    #expect(phases.runTask == 200)
    #expect(phases.pendingToRunning == test.pendingToRunning)
    #expect(phases.waitConnection == test.waitConnection)
    #expect(phases.runningResolution == test.runningResolution)
    #expect(phases.connectedResolution == test.connectedResolution)
    #expect(phases.waitResolution == test.waitResolution)
    // They overlap by what is open of RUNNING, and leave no gap.
    let sum = phases.runTask + phases.pendingToRunning + (phases.waitConnection ?? 0)
    let overlap: Nanoseconds = test.waitConnection == nil ? 0 : test.runningResolution
    #expect(sum - overlap == test.connected.1 - 1000)
  }

  /// ECS is looked at every 250, the gateway every 50; the looks begin at any time.
  @Test(arguments: [0, 20, 300] as [Nanoseconds])
  func theTruthIsWithinTheResolutionHoweverThePollsFall(wait: Nanoseconds) throws {
    let running: Instant = 2000
    let connected = running + wait
    var waits = 0
    for ecs: UInt64 in stride(from: 0, to: 250, by: 10) {
      for gateway: UInt64 in stride(from: 0, to: 50, by: 10) {
        let notRunning = try #require(looks(from: 1200 + ecs, before: running, every: 250).last)
        let notConnected = try #require(looks(from: 1200 + gateway, before: connected, every: 50).last)
        let seen = (running: notRunning + 250, connected: notConnected + 50)
        let phases = TaskStartPhases(
          sentAt: 1000, answeredAt: 1200, notRunningSince: notRunning,
          runningSeenAt: seen.running <= seen.connected ? seen.running : nil,
          connected: ObservedTransition(lastNegativeSentAt: notConnected, firstPositiveAnsweredAt: seen.connected))
        let pending = phases.pendingToRunning
        #expect(pending >= 800 && pending - phases.runningResolution <= 800)
        guard let upper = phases.waitConnection else { continue }
        waits += 1
        let resolution = try #require(phases.waitResolution)
        #expect(upper >= wait && upper - resolution <= wait, "\(ecs), \(gateway): \(upper) − \(resolution)")
      }
    }
    #expect(waits > 0)
  }

  /// When somebody looks on a beat that begins at `start`, up to `end`.
  private func looks(from start: UInt64, before end: Instant, every beat: UInt64) -> [Instant] {
    stride(from: start, to: end.nanoseconds, by: Int(beat)).map(Instant.init(nanoseconds:))
  }

  @Test func resolutionsAreTheWidestOfAllStarts() {
    let log = TaskStartLog()
    #expect(log.resolutions.isEmpty)
    func add(_ notRunning: Instant, _ running: Instant?, _ notConnected: Instant, _ connected: Instant) {
      log.add(
        TaskStartPhases(
          sentAt: 1000, answeredAt: 1200, notRunningSince: notRunning, runningSeenAt: running,
          connected: ObservedTransition(lastNegativeSentAt: notConnected, firstPositiveAnsweredAt: connected)))
    }
    add(2900, nil, 3000, 3200)
    #expect(log.resolutions == ["pending_to_running": 300])
    add(4900, 5200, 6000, 6100)
    add(4900, 5150, 6000, 6050)
    #expect(log.resolutions == ["pending_to_running": 300, "wait_connection": 400])
    #expect(log.connectedFirst == 1)
  }
}
