import Latency
import Testing

@testable import InfraBench
@testable import Results

/// One deadline for all that a run cleans up.
@Suite(.timeLimit(.minutes(1))) struct CleanupDeadlineTests {
  private static let hour: Nanoseconds = .seconds(3600)

  @Test func itComesNearerOnly() {
    let deadline = CleanupDeadline()
    #expect(!deadline.hasPassed && deadline.remaining > 1_000 * Self.hour)
    deadline.comesNearer(within: 2 * Self.hour)
    #expect(deadline.remaining <= 2 * Self.hour)
    deadline.comesNearer(within: Self.hour)
    // A second part of the end begins no new time.
    deadline.comesNearer(within: 2 * Self.hour)
    #expect(deadline.remaining <= Self.hour && !deadline.hasPassed)
    deadline.comesNearer(within: .zero)
    #expect(deadline.hasPassed && deadline.remaining == .zero)
  }

  private func untilCancelled() async -> Bool {
    while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
    return true
  }

  @Test func workIsCancelledAtTheDeadline() async {
    let deadline = CleanupDeadline(within: .milliseconds(20))
    let isCancelled = await deadline.run(onceInterrupted: Self.hour) { await untilCancelled() }
    #expect(isCancelled && deadline.hasPassed)
  }

  @Test func anInterruptionBringsItNear() async {
    let deadline = CleanupDeadline(within: Self.hour)
    let run = Task { await deadline.run(onceInterrupted: .milliseconds(20)) { await untilCancelled() } }
    run.cancel()
    #expect(await run.value && deadline.hasPassed)
  }

  @Test func workThatEndsBeforeItIsNotCancelled() async {
    let deadline = CleanupDeadline(within: Self.hour)
    let isCancelled = await deadline.run(onceInterrupted: Self.hour) { Task.isCancelled }
    #expect(!isCancelled && !deadline.hasPassed)
  }
}
