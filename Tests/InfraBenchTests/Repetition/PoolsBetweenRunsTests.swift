import Latency
import Synchronization
import TestSupport
import Testing
import Transport

@testable import InfraBench
@testable import Results

/// What a shared pool is waited for between runs.
@Suite(.timeLimit(.minutes(3))) struct PoolsBetweenRunsTests {
  @Test func aWaitInVainIsNotMadeAgain() async throws {
    let warm = Mutex(4)
    let server = try await ScriptedServer { _ in WarmPoolTests.status(warm.withLock { $0 }) }
    let target = TargetSettings(
      gateway: .remote(Endpoint(host: "127.0.0.1", port: server.port)), headers: [], tls: nil, isInsecure: false,
      agents: 0, allowsAgentsBesideReal: false)
    let console = Console(print: .json, isQuiet: true)
    var pools = PoolsBetweenRuns(bound: .milliseconds(100), lookBound: .seconds(60))
    /// The note, and how often the gateway was asked.
    func wait() async -> (note: String?, looks: Int) {
      let before = server.requests.count
      let note = await pools.wait(for: target, nil, console)
      return (note, server.requests.count - before)
    }
    #expect(await wait() == (nil, 1))
    warm.withLock { $0 = 2 }
    let note = "before this run the gateway's pool had 2 warm tasks, before the first run 4"
    #expect(await wait().note == note)
    // The run is told of it, and doesn't wait for what didn't come.
    #expect(await wait() == (note, 1))
    // It goes on with what there is.
    warm.withLock { $0 = 1 }
    #expect(await wait().note == note.replacing("had 2", with: "had 1"))
    #expect(await wait().looks == 1)
    warm.withLock { $0 = 4 }
    #expect(await wait() == (nil, 1))
    await server.stop()
  }
}
