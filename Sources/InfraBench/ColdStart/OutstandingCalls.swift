import ProcessControl
import Synchronization

/// Calls whose answers are waited for beyond the work that has made them: what they have done is known by their answers
/// alone.
final class OutstandingCalls: Sendable {
  private let tasks = Mutex<[Int: Task<Void, Never>]>([:])
  private let next = Atomic(0)

  /// How many have no answer yet.
  var count: Int { tasks.withLock { $0.count } }

  /// Makes a call, and gives its answer to `settle` whenever that comes.
  ///
  /// - Parameter grace: how long the answer is waited for after the caller's task was cancelled, in ns.
  /// - Returns: the answer; nil where the caller's task was cancelled and the answer did not come in time. The call goes on.
  func make<Answer: Sendable>(
    graceOnCancel grace: UInt64, _ call: @escaping @Sendable () async -> Answer,
    settle: @escaping @Sendable (Answer) -> Void
  ) async -> Answer? {
    let first = FirstValue<Answer?>()
    let number = next.add(1, ordering: .relaxed).newValue
    tasks.withLock { tasks in
      // The lock is held until it is noted: it cannot end before.
      tasks[number] = Task {
        let answer = await call()
        settle(answer)
        self.tasks.withLock { _ = $0.removeValue(forKey: number) }
        first.give(answer)
      }
    }
    return await withTaskCancellationHandler {
      await first.wait()
    } onCancel: {
      Task {
        try? await Task.sleep(nanoseconds: grace)
        first.give(nil)
      }
    }
  }

  /// Gives up those that have no answer yet.
  func cancel() {
    for task in tasks.withLock({ Array($0.values) }) { task.cancel() }
  }
}
