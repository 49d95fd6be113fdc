import AWS
import Gateway
import Latency
import Synchronization
import Transport

/// Looking at the tasks on their way, by ECS and by the gateway.
extension TaskStarter {
  /// Between two looks at the gateway, in ns, unless ECS is looked at more often.
  private static let longestPause: UInt64 = 50_000_000

  /// Looks at ECS and the gateway for as long as the task is not cancelled and any start is under way.
  func watch() async {
    async let _ = watchECS()
    await watchGateway()
  }

  private func watchECS() async {
    var beat = PollBeat(interval: settings.pollInterval, from: MonotonicClock.now())
    while !Task.isCancelled {
      let now = MonotonicClock.now()
      if now < beat.nextAt { try? await Task.sleep(nanoseconds: beat.nextAt - now) }
      beat.polls(at: MonotonicClock.now())
      // Here too: a gateway that doesn't answer holds no deadline up.
      finish(state.withLock { $0.tracker.expire(at: MonotonicClock.now()) })
      let asked = state.withLock { $0.tracker.underWay }
      guard !asked.isEmpty, !Task.isCancelled else { continue }
      do throws(AWSError) {
        // Not tried again: a gap is better than a time that is blurred.
        let answer = try await ecs.client.describeTasks(asked, cluster: ecs.filter.cluster, retry: .never)
        guard let first = answer.calls.first?.timings, let last = answer.calls.last?.timings else { continue }
        log.note(answer.value)
        finish(
          state.withLock {
            $0.tracker.observe(answer.value, asked: asked, sentAt: first.sentAt, answeredAt: last.answeredAt)
          })
      } catch {
        lost(error)
      }
    }
  }

  private func lost(_ error: AWSError) {
    if error.transfer?.code == .cancelled { return }
    guard error.isFinal else {
      log.lostPoll()
      // Without the request's id: what fails alike is said once.
      return session.bench.note("looks at the tasks were lost: \(error.resultKind)")
    }
    let refusal = RunTaskRemedy.explained(error)
    let waiters = state.withLock { state in
      state.tracker.forget(Array(state.waiters.keys))
      defer { state.waiters = [:] }
      return state.waiters.values
    }
    for waiter in waiters { waiter.resume(returning: .failure(TaskStartFailure(.pendingToRunning, refusal))) }
    refuse(.toStart(refusal))
  }

  private func watchGateway() async {
    let client = session.client(on: session.loops.executor(forUser: 0))
    defer { client.close() }
    let pause = min(settings.pollInterval, Self.longestPause)
    while !Task.isCancelled {
      if state.withLock({ $0.callsUnderWay > 0 || !$0.waiters.isEmpty }) { await lookAtGateway(client) }
      finish(state.withLock { $0.tracker.expire(at: MonotonicClock.now()) })
      try? await Task.sleep(nanoseconds: pause)
    }
  }

  /// How often a look before a start is tried.
  private static let looksBeforeStart = 3

  /// Looks at the gateway until it has shown how many tasks it has.
  func lookBeforeStart() async {
    let client = session.client(on: session.loops.executor(forUser: 0))
    defer { client.close() }
    for _ in 0..<Self.looksBeforeStart where !Task.isCancelled && state.withLock({ $0.tracker.needsLook }) {
      await lookAtGateway(client)
    }
  }

  private func lookAtGateway(_ client: GatewayClient) async {
    switch await client.status() {
    case .success(let (status, exchange)):
      tasks.update { $0.seenAtGateway(TaskWhereabouts.known(status).connected) }
      if status.tasks == nil {
        session.bench.note(
          "the gateway's status names no tasks: a start counts as connected when the gateway has one task more")
      }
      let ended = state.withLock {
        $0.tracker.observe(status, sentAt: exchange.firstByteWrittenAt, answeredAt: exchange.lastByteReadAt)
      }
      finish(ended, look: PoolLook(status: status, date: exchange.response.header("date")))
    case .failure(let error) where error.isCancellation: break
    case .failure(let error): session.bench.note("looks at the gateway were lost: \(error.kind)")
    }
  }
}
