import Testing

@testable import AWS

/// A field of another type than ECS's: one that is needed makes the answer malformed, any other one is passed over.
@Suite struct FieldTypeTests {
  /// A value of each type.
  private static let values = ["17", "1.5", #""text""#, "null", "true", "{}", "[]", "[1]", "-1e400"]

  private struct Field: Sendable, CustomTestStringConvertible {
    var name: String
    /// Values that can be read; nil: all of them, as it is not needed.
    var right: Set<String>?
    var testDescription: String { name }
  }

  private static let text: Set<String> = [#""text""#]

  private func answer(_ body: String, _ call: (ECSClient) async throws -> Void) async throws -> AWSError? {
    let client = try makeClient(
      ScriptedTransport([.json(200, body)]), environment: ManualEnvironment().environment())
    return await awsError { try await call(client) }
  }

  private func object(_ fields: [String: String], _ field: Field, _ value: String) -> String {
    "{" + fields.merging([field.name: value]) { $1 }.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
  }

  private static let taskFields = [
    Field(name: "taskArn", right: text), Field(name: "lastStatus", right: text), Field(name: "desiredStatus"),
    Field(name: "group"), Field(name: "taskDefinitionArn"), Field(name: "startedBy"), Field(name: "createdAt"),
    Field(name: "pullStartedAt"), Field(name: "pullStoppedAt"), Field(name: "startedAt"), Field(name: "stoppingAt"),
    Field(name: "stoppedAt"), Field(name: "stoppedReason"), Field(name: "unknown"),
  ]

  @Test(arguments: taskFields) private func aTask(field: Field) async throws {
    for value in Self.values {
      let task = object(["taskArn": #""a/b""#, "lastStatus": #""RUNNING""#], field, value)
      let error = try await answer("{\"tasks\": [\(task)]}") { client in
        let tasks = try await client.describeTasks(["a"], cluster: nil, retry: .never).value
        #expect(tasks.count == 1)
      }
      #expect((error == nil) == (field.right?.contains(value) ?? true), "\(task)")
    }
  }

  /// What says whose a task is must not be passed over: a task of nobody known is not the pool's.
  @Test(arguments: ["17", "true", "{}", "[]"]) func aTaskWhoseOwnerCannotBeReadIsNotThePools(value: String) async throws
  {
    for (name, filter) in [
      ("group", TaskFilter(serviceName: "s")), ("startedBy", TaskFilter(startedBy: "m")),
      ("taskDefinitionArn", TaskFilter(family: "f")),
    ] {
      let task = "{\"taskArn\": \"a\", \"lastStatus\": \"RUNNING\", \"\(name)\": \(value)}"
      let error = try await answer("{\"tasks\": [\(task)]}") { client in
        let tasks = try await client.describeTasks(["a"], cluster: nil, retry: .never).value
        #expect(tasks.first.map(filter.admits) == false, "\(task)")
      }
      #expect(error == nil, "\(task)")
    }
  }

  private static let serviceFields = [
    Field(name: "serviceArn"), Field(name: "serviceName"), Field(name: "status"),
    Field(name: "desiredCount", right: ["17"]), Field(name: "runningCount"), Field(name: "pendingCount"),
    Field(name: "deployments"), Field(name: "unknown"),
  ]

  @Test(arguments: serviceFields) private func aService(field: Field) async throws {
    let right = ["serviceName": #""s""#, "status": #""ACTIVE""#, "desiredCount": "3"]
    for value in Self.values {
      let service = object(right, field, value)
      let error = try await answer("{\"services\": [\(service)]}") { client in
        let services = try await client.describeServices(["s"], cluster: nil, retry: .never).value
        #expect(services.count == 1)
      }
      #expect((error == nil) == (field.right?.contains(value) ?? true), "\(service)")
    }
  }

  private static let answerFields = [
    Field(name: "tasks", right: ["[]"]), Field(name: "failures"), Field(name: "unknown"),
  ]

  @Test(arguments: answerFields) private func theAnswersOfDescribeTasksAndRunTask(field: Field) async throws {
    for value in Self.values {
      let body = object(["tasks": "[]"], field, value)
      let isRight = field.right?.contains(value) ?? true
      #expect(
        try await answer(body) { _ = try await $0.describeTasks(["a"], cluster: nil, retry: .never) } == nil
          ? isRight : !isRight, "\(body)")
      #expect(
        try await answer(body) { _ = try await $0.runTask("d", cluster: nil, count: 1, retry: .never) } == nil
          ? isRight : !isRight, "\(body)")
    }
  }

  /// A page's token that cannot be read would end the list too early, in silence.
  @Test(
    arguments: [
      ("taskArns", ["[]"]), ("nextToken", ["null", #""""#]), ("unknown", values),
    ] as [(String, [String])]) func theAnswerOfListTasks(name: String, right: [String]) async throws
  {
    for value in Self.values + [#""""#] where !(name == "nextToken" && value == #""text""#) {
      let body = object(["taskArns": #"["a"]"#], Field(name: name), value)
      let error = try await answer(body) { _ = try await $0.listTasks(.init(), retry: .never) }
      #expect((error == nil) == (right.contains(value) || (name == "unknown")), "\(body)")
    }
  }

  @Test(arguments: ["arn", "reason", "detail"]) func aFailure(name: String) async throws {
    for value in Self.values {
      let error = try await answer("{\"tasks\": [], \"failures\": [{\"\(name)\": \(value)}]}") { client in
        let failures = try await client.describeTasks(["a"], cluster: nil, retry: .never).failures
        #expect(failures.count == 1)
      }
      #expect(error == nil, "\(name): \(value)")
    }
  }
}
