import FoundationEssentials
import Gateway
import TestSupport
import Testing
import Transport

/// Real tasks under drawn plans, while users come and go: the limits hold, everybody gets a word, and afterwards all is
/// as before. `INFRABENCH_RANDOM_SEED` draws other plans.
@Suite(.wholeSuiteOnly, .serialized, .timeLimit(.minutes(5))) struct RandomPlanTests {
  private static let maxTasks = 8
  private static let firstSeed = ProcessInfo.processInfo.environment["INFRABENCH_RANDOM_SEED"].flatMap { Int($0) } ?? 1

  private static func plan(_ random: inout SplitMix) -> String {
    let faults = [
      "task-dies-warm:rate=2/s", "task-dies-in-use:rate=2/s", "socket-breaks:on=warm+in-use,rate=1/s",
      "socket-half-closes:on=warm+in-use,rate=1/s", "socket-mute:on=in-use,rate=1/s", "task-dies-assigned:p=0.2",
      "socket-breaks:on=assigned,p=0.1", "socket-mute:on=assigned,p=0.1", "never-ready:p=0.1",
      "slow-init:p=0.3,delay=200ms", "start-fails:p=0.2,streak=2", "restart-stops-new:p=0.1",
      "old-session-lingers:p=0.5,hold=700ms", "answer-slow:p=0.1,delay=200ms", "answer-5xx:on=acquire+session,p=0.1",
      "answer-stall:on=acquire+session,after=1s,for=400ms", "answer-reset:on=acquire+session,p=0.1",
      "answer-half-close:on=acquire,p=0.1", "answer-truncated:on=acquire+session,p=0.1",
      "answer-invalid-json:on=acquire+session,p=0.1", "answer-oversized:on=session,p=0.1",
    ]
    let chosen = faults.filter { _ in random.below(3) == 0 }
    return "seed=\(random.below(1000)); " + (chosen.isEmpty ? faults : chosen).joined(separator: "; ")
  }

  @Test(arguments: 0..<3) func limitsHoldAndNothingIsLeft(number: Int) async throws {
    var random = SplitMix(state: UInt64(Self.firstSeed + number))
    let plan = Self.plan(&random)
    let arguments = [
      "--pool-size", "2", "--max-tasks", "\(Self.maxTasks)", "--init-timeout", "1s", "--cold-start-timeout", "3s",
    ]
    try await FaultyGateway.with(arguments) { gateway in
      try await gateway.warm(2)
      try await gateway.set(plan)
      let end = ContinuousClock.now + .seconds(3)
      let unanswered = try await withThrowingTaskGroup(of: Int.self) { group in
        for user in 0..<4 {
          group.addTask {
            var unanswered = 0
            while ContinuousClock.now < end {
              unanswered +=
                user % 2 == 0
                ? try await acquireAndRelease("user-\(user)", gateway) : try await talk("user-\(user)", gateway)
            }
            return unanswered
          }
        }
        group.addTask {
          while ContinuousClock.now < end {
            let count = gateway.processes.count
            #expect(count <= Self.maxTasks, "\(count) processes of tasks, \(plan)")
            try await Task.sleep(for: .milliseconds(50))
          }
          return 0
        }
        return try await group.reduce(0, +)
      }
      #expect(unanswered == 0, "\(plan)")
      let report = try await gateway.remove()
      #expect(report.injected > 0, "\(plan)")
      try await gateway.eventually("the pool is not as before: \(plan)") {
        let status = try await gateway.status()
        return status.warmCount == 2 && status.assignedCount == 0 && gateway.processes.count == 2
      }
    }
  }

  /// 1 where neither an answer nor the end of the connection came within 10 s: starts, confirmations and cold starts are
  /// bounded by 3 s here.
  private func acquireAndRelease(_ user: String, _ gateway: FaultyGateway) async throws -> Int {
    let connection = try await RawConnection.open(gateway.port)
    let watch = Task {
      try await Task.sleep(for: .seconds(10))
      connection.close()
      return true
    }
    defer { connection.close() }
    try? await connection.request("POST", "/api/acquire", #"{"userId":"\#(user)","waitFor":"ready"}"#)
    let answer = try? await connection.answer()
    watch.cancel()
    if (try? await watch.value) == true { return 1 }
    guard let task = (try? answer?.json(AcquireAnswer.self))?.taskId else { return 0 }
    // A release is tried until the gateway says that the task is not assigned any more.
    for _ in 0..<50 {
      let released = try? await gateway.ask("POST", "/api/release", #"{"taskId":"\#(task)"}"#)
      if let status = released?.status, [200, 404].contains(status) { break }
    }
    return 0
  }

  /// A session of some lines; 1 where the gateway let it wait for 10 s without a word.
  private func talk(_ user: String, _ gateway: FaultyGateway) async throws -> Int {
    guard let socket = try? await gateway.socket(user) else { return 0 }
    let watch = Task {
      try await Task.sleep(for: .seconds(10))
      socket.abort()
      return true
    }
    guard (try? await socket.receive())?.text.contains("session_ready") == true else {
      watch.cancel()
      await socket.close()
      return (try? await watch.value) == true ? 1 : 0
    }
    watch.cancel()
    // A task that is mute from here on is the user's to notice: it leaves after a while.
    let patience = Task {
      try await Task.sleep(for: .milliseconds(700))
      socket.abort()
    }
    for number in 0..<3 {
      guard (try? await socket.send(text: "line \(number)")) != nil, (try? await socket.receive()) != nil else { break }
    }
    patience.cancel()
    await socket.close()
    return 0
  }
}
