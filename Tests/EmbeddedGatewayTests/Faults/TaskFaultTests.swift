import FoundationEssentials
import Gateway
import Glibc
import TestSupport
import Testing
import Transport

/// Faults of tasks, as the process table, the status and users see them: with processes and with virtual tasks.
@Suite(.wholeSuiteOnly, .serialized, .timeLimit(.minutes(5))) struct TaskFaultTests {
  static let both = [FaultyGateway.twoProcesses, FaultyGateway.twoVirtualTasks]

  private func warmTasks(_ gateway: FaultyGateway) async throws -> Set<String> {
    Set(try await gateway.status().tasks?.filter { $0.state == "warm" }.map(\.taskId) ?? [])
  }

  @Test(arguments: both, ["task-dies-warm", "socket-breaks:on=warm", "socket-half-closes:on=warm"])
  func waitingTaskIsLostAndReplaced(arguments: [String], fault: String) async throws {
    try await FaultyGateway.with(arguments) { gateway in
      try await gateway.warm(2)
      let before = try await warmTasks(gateway)
      let processes = gateway.processes
      #expect(processes.isEmpty == arguments.contains("--virtual-tasks"))
      try await gateway.set("\(fault)\(fault.contains(":") ? "," : ":")rate=100/s,count=1")
      try await gateway.eventually("nothing was injected") { try await gateway.report().injected == 1 }
      try await gateway.eventually("no replacement") {
        let now = try await warmTasks(gateway)
        return now.count == 2 && now.subtracting(before).count == 1
      }
      let gone = before.subtracting(try await warmTasks(gateway))
      if let pid = gone.first.flatMap({ processes[$0] }) {
        try await gateway.eventually("the process lives on") { kill(pid, 0) == -1 }
      }
    }
  }

  @Test(arguments: both) func userOfADyingTaskIsTold(arguments: [String]) async throws {
    try await FaultyGateway.with(arguments) { gateway in
      try await gateway.warm(2)
      for fault in ["task-dies-in-use", "socket-breaks:on=in-use", "socket-half-closes:on=in-use"] {
        let (socket, first) = try await gateway.session("a")
        #expect(first.type == "session_ready")
        try await gateway.set("\(fault)\(fault.contains(":") ? "," : ":")rate=100/s,count=1")
        let text = try #require(try await socket.receive()).text
        #expect(
          try JSONDecoder().decode(SessionMessage.self, from: Data(text.utf8)).error?.code == "TASK_DIED", "\(fault)")
        await socket.close()
      }
    }
  }

  /// Between assignment and confirmation: the user is told, at the latest after the time-out of a confirmation.
  @Test(
    arguments: both,
    [
      "task-dies-assigned", "socket-breaks:on=assigned", "socket-half-closes:on=assigned", "socket-mute:on=assigned",
      "never-ready", "restart-stops-new",
    ])
  func userOfATaskThatNeverConfirmsGetsAnError(arguments: [String], fault: String) async throws {
    try await FaultyGateway.with(arguments) { gateway in
      try await gateway.warm(2)
      try await gateway.set("\(fault)\(fault.contains(":") ? "," : ":")count=1")
      let begin = ContinuousClock.now
      let refused = try await gateway.ask("POST", "/api/acquire", #"{"userId":"a","waitFor":"ready"}"#)
      let answer = try refused.json(AcquireAnswer.self)
      #expect(refused.status == 503 && answer.code == "TASK_START_FAILED", "\(refused.body)")
      if ["socket-mute:on=assigned", "never-ready"].contains(fault) {
        #expect(ContinuousClock.now - begin >= .seconds(2), "it is told before its time")
      }
      #expect(try await gateway.report().injected == 1)
      let (socket, first) = try await gateway.session("b")
      #expect(first.type == "session_ready")
      await socket.close()
      try await gateway.warm(2)
      #expect(try await gateway.status().assignedCount == 0)
    }
  }

  @Test(arguments: both) func slowConfirmationIsPartOfTheBreakdown(arguments: [String]) async throws {
    try await FaultyGateway.with(arguments) { gateway in
      try await gateway.warm(2)
      try await gateway.set("slow-init:delay=400ms")
      let answer = try await gateway.acquire("a", waitFor: "ready")
      #expect(answer.success == true && (answer.breakdown?.initUserMs ?? 0) >= 400)
    }
  }

  /// A mute socket is neither closed nor answered: the task stays in the pool's books until somebody asks it.
  @Test(arguments: both) func muteTaskStaysWarmUntilItIsAskedFor(arguments: [String]) async throws {
    try await FaultyGateway.with(arguments) { gateway in
      try await gateway.warm(2)
      let before = try await warmTasks(gateway)
      try await gateway.set("socket-mute:on=warm,rate=100/s,count=2")
      try await gateway.eventually("not both mute") { try await gateway.report().injected == 2 }
      #expect(try await warmTasks(gateway) == before)
      let refused = try await gateway.ask("POST", "/api/acquire", #"{"userId":"a","waitFor":"ready"}"#)
      #expect(try refused.json(AcquireAnswer.self).code == "TASK_START_FAILED")
    }
  }

  @Test(arguments: both) func startsFailInARowAndThePoolGetsOverIt(arguments: [String]) async throws {
    try await FaultyGateway.with(arguments, faults: "start-fails:count=3,streak=3") { gateway in
      try await gateway.warm(2)
      #expect(try await gateway.report().injected("start-fails") == 3)
    }
  }

  /// The user is back before its old task has ended: two of its processes share its directory for a time.
  @Test(arguments: both) func oldSessionIsStillStoppingWhenItsUserReturns(arguments: [String]) async throws {
    try await FaultyGateway.with(arguments) { gateway in
      try await gateway.warm(2)
      try await gateway.set("old-session-lingers:count=1,hold=2s")
      let (first, ready) = try await gateway.session("a")
      let old = try #require(ready.taskId)
      await first.close()
      try await gateway.eventually("not released") { try await gateway.status().assignedCount == 0 }
      let (second, back) = try await gateway.session("a")
      #expect(back.taskId != old)
      if let pid = gateway.processes[old] { #expect(kill(pid, 0) == 0) }
      #expect(arguments.contains("--virtual-tasks") == (gateway.processes[old] == nil))
      try await gateway.eventually("the old task never ends") { gateway.processes[old] == nil }
      await second.close()
      try await gateway.warm(2)
    }
  }

  @Test func strikesBeyondTheTasksAreCountedApart() async throws {
    try await FaultyGateway.with { gateway in
      try await gateway.warm(2)
      try await gateway.set("task-dies-in-use:rate=200/s,for=500ms")
      try await gateway.eventually("it plays on") { try await gateway.report().faults[0].state == "over" }
      let rule = try await gateway.report().faults[0]
      #expect(rule.injected == 0 && rule.withoutTarget > 0)
      #expect(try await gateway.status().warmCount == 2)
    }
  }
}
