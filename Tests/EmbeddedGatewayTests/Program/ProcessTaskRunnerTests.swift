import EmbeddedGateway
import Glibc
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct ProcessTaskRunnerTests {
  @Test func everyEndIsReportedBeforeStopAllReturns() async throws {
    let runner = ProcessTaskRunner(executable: "/bin/false", arguments: [], environment: [:])
    let ended = Mutex(0)
    for number in 0..<5 {
      runner.start("task-\(number)", gatewayURL: "ws://127.0.0.1:1") { event in
        guard case .ended = event else { return }
        // Whoever is told may take its time.
        usleep(20_000)
        ended.withLock { $0 += 1 }
      }
    }
    await runner.stopAll()
    #expect(ended.withLock { $0 } == 5)
  }
}
