import Latency
import NIOCore
import Synchronization
import TestSupport
import Testing
import Transport

@testable import LoadEngine

/// A server that is deaf for half a second: the response times must be what users would have seen, though only four of
/// five hundred requests met the stall itself.
@Suite(.serialized, .timeLimit(.minutes(1))) struct CoordinatedOmissionTests {
  static let stall: UInt64 = 500_000_000
  static let period: UInt64 = 2_500_000_000

  /// Deaf from 1 s after the first request on, for `stall`.
  private final class DeafSpell: Sendable {
    private let first = Mutex<UInt64?>(nil)

    func remaining() -> UInt64 {
      let now = MonotonicClock.now()
      let begin = first.withLock { first in
        first = first ?? now
        return (first ?? now) + 1_000_000_000
      }
      return now >= begin && now < begin + stall ? begin + stall - now : 0
    }
  }

  @Test func theResponsePercentilesAreTheAnalyticOnesAndTheServiceTimesAreFarBelow() async throws {
    let spell = DeafSpell()
    let server = try await ScriptedServer { _ in
      [.wait(.nanoseconds(Int64(spell.remaining()))), ScriptedServer.answer("ok")]
    }
    let schedule = ArrivalSchedule(rate: ArrivalRate(starts: 200, period: 1_000_000_000), arrival: .constant)
    let run = await LoadRun.perform(
      LoopbackAccountingTests.GetScenario(port: server.port, timeout: 20_000_000_000),
      plan: .openLoop(schedule, users: 4, count: nil, duration: Self.period),
      catalogue: LoopbackAccountingTests.GetScenario.catalogue, on: LoopGroup())
    await server.stop()
    #expect(run.recording.iterations == 500 && run.recording.errors.total == 0)
    #expect(server.requests.count == 500)
    let operation = LoopbackAccountingTests.GetScenario.get
    let response = try #require(run.recording[operation.response])
    let service = try #require(run.recording[operation.service])
    // Starts due in the stall wait for what is left of it: one in a hundred of all for more than stall − 1 % of the period.
    for (percentile, beyond) in [(99.0, 0.01), (99.9, 0.001)] {
      let analytic = Double(Self.stall) - beyond * Double(Self.period)
      let measured = Double(response.value(atPercentile: percentile))
      #expect(abs(measured - analytic) < 0.15 * analytic, "P\(percentile): \(measured / 1e6) ms")
    }
    #expect(service.value(atPercentile: 99) < response.value(atPercentile: 99) / 2)
    #expect(run.backlogMax > 50)
  }
}
