import Latency
package import SessionGateway
import Synchronization

/// The tasks that this tool was given and has not given back. Shared by all users of a run.
package final class HeldTasks: Sendable {
  /// What the gateway's answers to releases have shown.
  private struct Releases {
    /// The gateway is the run's own and has no other node: a task that it doesn't know has ended.
    var isOfOneNode = false
    /// The gateway has no such call.
    var isUnsupported = false
    /// One has succeeded, so that there is such a call.
    var hasSucceeded = false
    /// Tasks whose release was sent and got no answer: it may have been done.
    var unanswered: Set<String> = []
    /// Tasks whose release was refused.
    var refused: Set<String> = []
    /// How many acquires were sent and got no answer: a task may be given out that nobody can name.
    var unansweredAcquires = 0
  }

  /// The counter of the tasks that a run took and could not give back.
  package static let counter = "unreleased"

  private let ledger = Mutex(AssignmentLedger())
  private let releases = Mutex(Releases())

  package init() {}

  /// How many tasks are not given back, or could not be; none of a gateway that takes none back, where all are held.
  package var unreleased: Int { releases.withLock { $0.isUnsupported } ? 0 : count }

  /// The gateway is the run's own: what it refuses to take back has ended, as with a user's program that was killed.
  func areOfOwnGateway() { releases.withLock { $0.isOfOneNode = true } }

  /// The gateway is gone, and its tasks with it.
  func endedWithGateway() { ledger.withLock { $0 = AssignmentLedger() } }

  /// Notes that an acquire has failed; `writtenAt` is nil where it was not sent.
  package func acquireFailed(_ error: GatewayError, writtenAt: UInt64?) {
    guard writtenAt != nil, error.mayHaveBeenDone else { return }
    releases.withLock { $0.unansweredAcquires += 1 }
  }

  /// What is to be said of tasks that only lost answers name; nil where there are none, or where they end with the
  /// run's own gateway.
  var unansweredNote: String? {
    let number = releases.withLock { $0.isOfOneNode ? 0 : $0.unansweredAcquires }
    guard number > 0 else { return nil }
    return
      "\(number) \(number == 1 ? "acquire" : "acquires") got no answer: a task that the gateway gave out for one is still "
      + "assigned, and only the gateway's status can name it"
  }

  /// Notes an assignment; true if it is a duplicate.
  package func assign(_ task: String) -> Bool {
    // One that is given out after a refused release was not held any more.
    let wasRefused = releases.withLock { releases in
      guard !releases.refused.isEmpty || !releases.unanswered.isEmpty else { return false }
      let wasUnanswered = releases.unanswered.remove(task) != nil
      return releases.refused.remove(task) != nil || wasUnanswered
    }
    return ledger.withLock { ledger in
      if wasRefused { ledger.released(task) }
      return ledger.assign(task)
    }
  }

  /// Whether so many tasks were held that duplicates may have gone unnoticed.
  package var isOverLimit: Bool { ledger.withLock { $0.isOverLimit } }

  /// How many are held.
  package var count: Int { ledger.withLock { $0.outstanding.count } }

  /// Notes that a task has gone back without a call, with the session that had it.
  package func wentBack(_ task: String) { ledger.withLock { $0.released(task) } }

  /// Gives one task back through `client`; when its answer was read, in ns, or nil if it was not released.
  /// What fails stays held, is noted, and is tried again at the end.
  @discardableResult
  package func release(_ task: String, through client: GatewayClient, bench: Bench) async -> UInt64? {
    guard !releases.withLock({ $0.isUnsupported }) else { return nil }
    switch await client.release(taskID: task) {
    case .success(let answeredAt):
      releases.withLock { releases in
        releases.hasSucceeded = true
        releases.refused.remove(task)
        releases.unanswered.remove(task)
      }
      ledger.withLock { $0.released(task) }
      return answeredAt
    case .failure(let error) where error.kind == "release_refused" || error.kind == "release_unsupported":
      refused(task, error, bench)
    case .failure(let error):
      if error.mayHaveBeenDone { releases.withLock { _ = $0.unanswered.insert(task) } }
      if !error.isCancellation { bench.note("a release failed: \(error)") }
    }
    return nil
  }

  private func refused(_ task: String, _ error: GatewayError, _ bench: Bench) {
    let (isUnsupported, isGone) = releases.withLock { releases in
      // A page that is missing behind one node of several, as another one's answers have shown, is a refusal too.
      releases.isUnsupported = error.kind == "release_unsupported" && !releases.hasSucceeded
      guard !releases.isUnsupported else { return (true, false) }
      // A release that got no answer was done after all.
      if releases.unanswered.remove(task) != nil || releases.isOfOneNode { return (false, true) }
      releases.refused.insert(task)
      return (false, false)
    }
    if isUnsupported { return bench.note("the gateway has no /api/release: tasks are held, as with --hold") }
    if isGone { ledger.withLock { $0.released(task) } }
    // Else another node may know the task: it stays held, and its release is tried again at the end.
    bench.note("a release was refused: \(error.message)")
  }

  /// Gives back everything that is held, within `bound` ns; what could not be given back is noted.
  package func releaseAll(through clients: [GatewayClient], bound: UInt64, bench: Bench) async {
    let tasks = ledger.withLock { $0.outstanding.all }
    guard !tasks.isEmpty, !clients.isEmpty, !releases.withLock({ $0.isUnsupported }) else { return }
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
    let left = unreleased
    guard left > 0 else { return }
    bench.note(
      "\(left == 1 ? "1 task could not be released and is" : "\(left) tasks could not be released and are") still assigned"
    )
  }
}

extension GatewayError {
  /// Whether what was asked for may have been done although nothing says so.
  fileprivate var mayHaveBeenDone: Bool { ["cancelled", "timeout", "reset", "closed"].contains(kind) }
}
