import FoundationEssentials
import Gateway
import TestSupport
import Testing
import Transport

/// Each planted bug from outside, beside the right behaviour of a gateway without it.
@Suite(.wholeSuiteOnly, .serialized, .timeLimit(.minutes(3))) struct PlantedBugTests {
  static let states = [false, true]

  private func with(_ bug: String, _ isPlanted: Bool, _ body: (FaultyGateway) async throws -> Void) async throws {
    try await FaultyGateway.with(FaultyGateway.twoVirtualTasks + (isPlanted ? ["--planted-bug", bug] : []), body)
  }

  @Test(arguments: states) func doubleAssignmentGivesOneTaskToTwoUsers(isPlanted: Bool) async throws {
    try await with("double-assignment", isPlanted) { gateway in
      try await gateway.warm(2)
      let tasks = [try await gateway.acquire("a").taskId, try await gateway.acquire("b").taskId]
      #expect((tasks[0] == tasks[1]) == isPlanted && tasks[0] != nil)
      let sessions = [try await gateway.session("c"), try await gateway.session("d")]
      #expect((sessions[0].first.taskId == sessions[1].first.taskId) == isPlanted)
      for session in sessions { await session.socket.close() }
    }
  }

  @Test(arguments: states) func leakedTaskStaysAssignedAfterItsUserHasLeft(isPlanted: Bool) async throws {
    try await with("leak-on-disconnect", isPlanted) { gateway in
      try await gateway.warm(2)
      await (try await gateway.session("a")).socket.close()
      await (try await gateway.session("b")).socket.close()
      try await gateway.eventually("the pool is not full") {
        let status = try await gateway.status()
        return status.warmCount == 2 && status.assignedCount == (isPlanted ? 2 : 0)
      }
    }
  }

  @Test(arguments: states) func swallowedFailureLeavesItsUserWithoutAWord(isPlanted: Bool) async throws {
    try await with("swallowed-start-failure", isPlanted) { gateway in
      try await gateway.warm(2)
      try await gateway.set("task-dies-assigned")
      let connection = try await RawConnection.open(gateway.port)
      try await connection.request("POST", "/api/acquire", #"{"userId":"a","waitFor":"ready"}"#)
      let answer = Task { try await connection.answer() }
      try await gateway.eventually("no task died") { try await gateway.report().injected == 1 }
      // A user without an answer is one who has none after the time in which a task has to confirm, 2 s here.
      let watch = Task {
        try await Task.sleep(for: .seconds(3))
        connection.close()
      }
      let status = try? await answer.value.status
      watch.cancel()
      #expect(status == (isPlanted ? nil : 503))
    }
  }

  @Test(arguments: states) func endlessReplacementExceedsTheLimitOfTasks(isPlanted: Bool) async throws {
    try await with("endless-replacement", isPlanted) { gateway in
      if isPlanted {
        // The pool may have 8 tasks in all.
        try await gateway.eventually("the limit is kept") { try await gateway.status().tasks?.count ?? 0 > 8 }
      } else {
        try await gateway.warm(2)
        #expect(try await gateway.status().tasks?.count == 2)
      }
    }
  }

  @Test(arguments: states) func crosstalkShowsOneUsersLinesToAnother(isPlanted: Bool) async throws {
    try await with("crosstalk", isPlanted) { gateway in
      try await gateway.warm(2)
      let (one, _) = try await gateway.session("a")
      let (other, _) = try await gateway.session("b")
      try await one.send(text: "secret")
      #expect(try #require(try await one.receive()).text.contains("secret"))
      try await other.send(text: "hello")
      let heard = try #require(try await other.receive()).text
      #expect(heard.contains(isPlanted ? "secret" : "hello"), "\(heard)")
      await one.close()
      await other.close()
    }
  }

  @Test(arguments: states) func lostFilesAreInTheDirectoryOfTheFirstTask(isPlanted: Bool) async throws {
    try await with("lost-files", isPlanted) { gateway in
      let root = gateway.program.ready.workspaceRoot
      for _ in 0..<2 {
        try await gateway.warm(2)
        await (try await gateway.session("a")).socket.close()
        try await gateway.eventually("not released") { try await gateway.status().assignedCount == 0 }
      }
      let environments = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
      let own = environments.filter { FileManager.default.fileExists(atPath: "\(root)/\($0)/a/.optima/token.json") }
      #expect(own.count == (isPlanted ? 2 : 1) && own.contains("dev") == !isPlanted, "\(environments)")
    }
  }
}
