import FoundationEssentials
import Gateway
import Latency
import LoadEngine
import Results
import Statistics
import Synchronization
import Transport

/// Looks at the gateway's pool again and again while a soak goes on.
final class PoolWatch: Sendable {
  private struct State {
    var looks = PoolLooks()
    var random: SeededGenerator
  }

  private let session: GatewaySession
  private let isOwnGateway: Bool
  private let pause: Nanoseconds
  private let state: Mutex<State>

  /// About a look a second, which costs a gateway nothing; ten in a shorter minute.
  private static let longestPause: Nanoseconds = .seconds(1)

  /// - Parameter seed: Draws the pauses. Equal ones would see a load that repeats itself always at the same point.
  init(_ session: GatewaySession, every minute: Nanoseconds, seed: UInt64) {
    self.session = session
    isOwnGateway = session.embeddedECS != nil
    pause = min(Self.longestPause, minute / 10)
    state = Mutex(State(random: SeededGenerator(seed: seed)))
  }

  /// Looks until the task is cancelled.
  func watch() async {
    let executor = session.loops.executor(forUser: 0)
    let client = isOwnGateway ? session.ownClient(on: executor) : session.client(on: executor)
    defer { client.close() }
    // A gateway that does not answer must not hold up the end of the run.
    await withTaskCancellationHandler {
      await look(through: client)
    } onCancel: {
      client.cancel()
    }
  }

  private func look(through client: GatewayClient) async {
    while !Task.isCancelled {
      let status = await PoolStatus.take(through: client)
      let look = status.map { PoolLooks.Look($0, now: isOwnGateway ? Date() : $0.gatewayTime) }
      let pause = state.withLock { state in
        state.looks.add(look, at: MonotonicClock.now())
        return self.pause / 2 + Nanoseconds(UInt64.random(in: 0...self.pause.nanoseconds, using: &state.random))
      }
      try? await Task.sleep(for: pause)
    }
  }

  /// Ends the minute at `instant`.
  func cut(at instant: Instant) -> SoakMinute.Pool? {
    state.withLock { $0.looks.cut(at: instant) }
  }

  /// How many tasks the gateway still has for users of this run, once all have left; nil where it does not tell. Tasks
  /// that are just being given back are waited for.
  func leakedTasks(waiting bound: Nanoseconds) async -> Int? {
    let executor = session.loops.executor(forUser: 0)
    let client = isOwnGateway ? session.ownClient(on: executor) : session.client(on: executor)
    defer { client.close() }
    let deadline = MonotonicClock.now() + bound
    while true {
      guard let tasks = await PoolStatus.take(through: client)?.status.tasks else { return nil }
      let leaked = tasks.count { task in
        // A gateway of others has others' tasks too.
        task.state == "assigned" && (isOwnGateway || task.userId.map(session.userIDs.contains) ?? false)
      }
      guard leaked > 0, MonotonicClock.now() < deadline, !Task.isCancelled else { return leaked }
      try? await Task.sleep(for: .milliseconds(100))
    }
  }
}

extension PoolLooks.Look {
  /// - Parameter now: The gateway's own time; nil: it does not tell, so that tasks have no age.
  init(_ status: PoolStatus, now: Date?) {
    let tasks = status.status.tasks
    self.init(
      warm: status.status.warmCount, assigned: status.status.assignedCount,
      starting: tasks.map { $0.count { $0.state == "warming" } }, oldestWarm: nil)
    let begun = (tasks ?? []).filter { $0.state == "warm" }.compactMap {
      $0.connectedAt.flatMap(GatewayTime.parseISO8601)
    }
    guard let now, let first = begun.min() else { return }
    oldestWarm = .nanoseconds(max(0, now.timeIntervalSince(first)) * 1e9)
  }
}
