import Latency
import Synchronization
import TestSupport
import Testing
import Transport

@testable import InfraBench

/// What a shared pool is waited for between runs.
@Suite(.timeLimit(.minutes(1))) struct PoolsBetweenRunsTests {
  @Test func aWaitInVainIsNotMadeAgain() async throws {
    let warm = Mutex(4)
    let server = try await ScriptedServer { _ in WarmPoolTests.status(warm.withLock { $0 }) }
    let target = TargetSettings(
      gateway: .remote(Endpoint(host: "127.0.0.1", port: server.port)), headers: [], tls: nil, isInsecure: false,
      agents: 0, allowsAgentsBesideReal: false)
    let console = Console(print: .json, isQuiet: true)
    var pools = PoolsBetweenRuns(bound: 100_000_000)
    /// The note, and how often the gateway was asked.
    func wait() async -> (note: String?, looks: Int) {
      let before = server.requests.count
      let note = await pools.wait(for: target, nil, console)
      return (note, server.requests.count - before)
    }
    #expect(await wait() == (nil, 1))
    warm.withLock { $0 = 2 }
    let note = "before this run the gateway's pool had 2 warm tasks, before the first run 4"
    let inVain = await wait()
    #expect(inVain.note == note && inVain.looks > 1)
    // The run is told of it, and doesn't wait for what didn't come.
    #expect(await wait() == (note, 1))
    // It waits for what there was.
    warm.withLock { $0 = 1 }
    #expect(await wait().looks > 1)
    warm.withLock { $0 = 4 }
    #expect(await wait() == (nil, 1))
    await server.stop()
  }
}
