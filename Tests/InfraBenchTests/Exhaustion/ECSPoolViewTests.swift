import AWS
import AWSTestSupport
import Latency
import Synchronization
import Testing
import TestSupport

@testable import InfraBench
@testable import Results

/// What polls of ECS come to, against a server whose every answer is written here.
@Suite struct ECSPoolViewTests {
  /// Answers each request with the next of `answers`; the requests' bodies, in order.
  private func bodies(
    answering answers: [(status: Int, body: String)], _ poll: (inout ECSPoolView) async throws -> Void
  ) async throws -> [String] {
    let bodies = Mutex<[String]>([])
    let received = try await HTTPTestServer.run { request in
      let answer = bodies.withLock { bodies in
        bodies.append(String(decoding: request.body, as: UTF8.self))
        return bodies.count <= answers.count ? answers[bodies.count - 1] : (status: 500, body: "too many requests")
      }
      return .answer(
        status: answer.status, headers: [("Content-Type", "application/x-amz-json-1.1")], body: Array(answer.body.utf8))
    } _: { server in
      let access = ECSAccess(
        endpointURL: server.url, key: .random(), cluster: "c", service: "s", region: "eu-west-1")
      var view = ECSPoolView(
        try ECSConnection.open(embedded: access, bench: RunContext(console: Console(print: .text, isQuiet: true))))
      try await poll(&view)
      return bodies.withLock { $0 }
    }
    return received
  }

  private static func list(_ names: String...) -> (status: Int, body: String) {
    (200, "{\"taskArns\":[\(names.map { "\"arn:task/c/\($0)\"" }.joined(separator: ","))]}")
  }

  private static func described(_ tasks: (name: String, status: String)..., missing: String = "") -> (
    status: Int, body: String
  ) {
    let tasks = tasks.map { task in
      "{\"taskArn\":\"arn:task/c/\(task.name)\",\"lastStatus\":\"\(task.status)\",\"desiredStatus\":\"RUNNING\","
        + "\"createdAt\":1.0E9,\"startedAt\":1000000002.5}"
    }
    let failures = missing.isEmpty ? "" : "{\"arn\":\"arn:task/c/\(missing)\",\"reason\":\"MISSING\"}"
    return (200, "{\"tasks\":[\(tasks.joined(separator: ","))],\"failures\":[\(failures)]}")
  }

  @Test func pendingAndMissingTasksAreListedButNotRunningAndAskedForAgain() async throws {
    let bodies = try await bodies(answering: [
      Self.list("a", "b", "m"), Self.described(("a", "RUNNING"), ("b", "PENDING"), missing: "m"),
      Self.list("a", "b", "m"), Self.described(("b", "RUNNING"), ("m", "PROVISIONING")),
      Self.list("b"),
    ]) { view in
      let first = try await view.look(retry: .never).get()
      #expect(first.listed.tasks == ["a", "b", "m"])
      #expect(first.running?.tasks == ["a"])
      #expect(
        first.listed.sentAt <= first.listed.answeredAt && first.listed.answeredAt <= first.running?.answeredAt ?? 0)
      #expect(first.listLatencies.count == 1)
      let second = try await view.look(retry: .never).get()
      #expect(second.running?.tasks == ["a", "b"])
      // What is gone from the list runs no more, and a task known to run is not described again.
      let third = try await view.look(retry: .never).get()
      #expect(third.listed.tasks == ["b"] && third.running?.tasks == ["b"])
      #expect(view.startPhases["b"] == .init(imagePull: nil, pendingToRunning: 2_500_000_000))
    }
    #expect(bodies.count == 5)
    #expect(bodies[0].contains("\"desiredStatus\":\"RUNNING\""))
    #expect(!bodies[3].contains("task\\/c\\/a") && !bodies[3].contains("task/c/a"))
  }

  /// That a task was not RUNNING was last said before DescribeTasks answered MISSING.
  @Test func aMissingTaskIsNoAnswerAndWidensTheResolution() async throws {
    _ = try await bodies(answering: [
      Self.list("a", "b"), Self.described(("a", "RUNNING"), ("b", "RUNNING")),
      Self.list("x", "y"), Self.described(("x", "RUNNING"), ("y", "PENDING")),
      Self.list("x", "y"), Self.described(missing: "y"),
      Self.list("x", "y"), Self.described(missing: "y"),
      Self.list("x", "y"), Self.described(("y", "RUNNING")),
    ]) { view in
      var tracker = RefillTracker(views: [.listed, .running])
      var looks: [ECSPoolView.Look] = []
      for number in 0..<5 {
        let look = try await view.look(retry: .never).get()
        looks.append(look)
        tracker.observe(.listed, look.listed)
        tracker.observe(.running, try #require(look.running))
        guard number == 0 else { continue }
        let now = look.running?.answeredAt ?? 0
        tracker.drainBegins(at: now)
        tracker.drained(2, at: now)
        tracker.startClock(at: now)
      }
      let start = try #require(tracker.clockStart)
      let denied = looks[1].listed.sentAt - start
      #expect(tracker.fullRefill(.running)?.earliest == denied)
      #expect(tracker.taskRefills(.running)["y"]?.earliest == denied)
      #expect(tracker.fullRefill(.listed)?.earliest == 0)
    }
  }

  @Test func throttlingIsAGapAndIsNotRetried() async throws {
    let throttled = (400, "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}")
    let bodies = try await bodies(answering: [throttled, Self.list()]) { view in
      var poll = PoolPoll()
      poll.add(await view.look(retry: .never))
      #expect(poll.isThrottled && poll.snapshots.isEmpty && poll.refusal == nil && poll.losses.isEmpty)
    }
    #expect(bodies.count == 1)
  }

  @Test func aMissingPermissionIsARefusalThatNamesIt() async throws {
    let denied = (400, "{\"__type\":\"x#AccessDeniedException\",\"Message\":\"no\"}")
    _ = try await bodies(answering: [Self.list("a"), denied]) { view in
      var poll = PoolPoll()
      poll.add(await view.look(retry: .never))
      #expect(poll.refusal?.description.contains("ecs:DescribeTasks") == true)
    }
  }

  @Test func aServerErrorIsALostPoll() async throws {
    _ = try await bodies(answering: [(503, "<html>busy</html>")]) { view in
      var poll = PoolPoll()
      poll.add(await view.look(retry: .never))
      #expect(poll.losses.count == 1 && poll.refusal == nil && poll.snapshots.isEmpty)
    }
  }

  @Test func aListingIsKeptWhereItsTasksCannotBeDescribed() async throws {
    let throttled = (400, "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}")
    _ = try await bodies(answering: [Self.list("a"), throttled]) { view in
      var poll = PoolPoll()
      poll.add(await view.look(retry: .never))
      #expect(poll.snapshots[.listed]?.tasks == ["a"] && poll.snapshots[.running] == nil)
      #expect(poll.isThrottled && poll.gap == "throttled" && poll.listLatencies.count == 1)
    }
  }

  /// A proxy's page in the middle of a refill must not end a measurement that cost users their tasks.
  @Test(arguments: ["<html>try later</html>", "{\"taskArns\": [", "[]"])
  func anOddAnswerIsALostPoll(body: String) async throws {
    _ = try await bodies(answering: [(200, body)]) { view in
      var poll = PoolPoll()
      poll.add(await view.look(retry: .never))
      #expect(poll.losses.count == 1 && poll.refusal == nil && poll.snapshots.isEmpty && poll.gap == "lost")
    }
  }
}
