import Latency
package import SessionGateway
import Synchronization

/// The tasks that this tool was given and has not given back. Shared by all users of a run.
package final class HeldTasks: Sendable {
  private let ledger = Mutex(AssignmentLedger())
  private let isReleaseUnsupported = Mutex(false)

  package init() {}

  /// Notes an assignment; true if it is a duplicate.
  package func assign(_ task: String) -> Bool { ledger.withLock { $0.assign(task) } }

  /// Whether so many tasks were held that duplicates may have gone unnoticed.
  package var isOverLimit: Bool { ledger.withLock { $0.isOverLimit } }

  /// How many are held.
  package var count: Int { ledger.withLock { $0.outstanding.count } }

  /// Notes that a task has gone back without a call, with the session that had it.
  package func wentBack(_ task: String) { ledger.withLock { $0.released(task) } }

  /// Gives one task back through `client`; when its answer was read, in ns, or nil if it was not released.
  /// What fails stays held, is noted, and is tried again at the end.
  @discardableResult
  package nonisolated(nonsending) func release(
    _ task: String, through client: GatewayClient, bench: Bench
  ) async -> UInt64? {
    guard !isReleaseUnsupported.withLock({ $0 }) else { return nil }
    switch await client.release(taskID: task) {
    case .success(let answeredAt):
      ledger.withLock { $0.released(task) }
      return answeredAt
    case .failure(let error) where error.kind == "release_unsupported":
      isReleaseUnsupported.withLock { $0 = true }
      bench.note("the gateway has no /api/release: tasks are held, as with --hold")
    case .failure(let error) where error.isCancellation:
      break
    case .failure(let error) where error.kind == "release_refused":
      // The gateway knows no such task any more: there is nothing left to give back.
      ledger.withLock { $0.released(task) }
      bench.note("a release was refused: \(error.message)")
    case .failure(let error):
      bench.note("a release failed: \(error)")
    }
    return nil
  }

  /// Gives back everything that is held, within `bound` ns; what could not be given back is noted.
  package func releaseAll(through clients: [GatewayClient], bound: UInt64, bench: Bench) async {
    let tasks = ledger.withLock { $0.outstanding.all }
    guard !tasks.isEmpty, !clients.isEmpty, !isReleaseUnsupported.withLock({ $0 }) else { return }
    let deadline = MonotonicClock.now() + bound
    await withTaskGroup(of: Void.self) { group in
      for (index, client) in clients.enumerated() {
        group.addTask {
          for task in stride(from: index, to: tasks.count, by: clients.count) {
            guard !Task.isCancelled, MonotonicClock.now() < deadline else { return }
            await self.release(tasks[task], through: client, bench: bench)
          }
        }
      }
      group.addTask { try? await Task.sleep(nanoseconds: bound) }
      // Whichever comes first: all clients done, or the bound.
      var clientsDone = 0
      while clientsDone < clients.count, MonotonicClock.now() < deadline, await group.next() != nil { clientsDone += 1 }
      group.cancelAll()
    }
    if count > 0 { bench.note("\(count) tasks could not be released and are still assigned") }
  }
}
