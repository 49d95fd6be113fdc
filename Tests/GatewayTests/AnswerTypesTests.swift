import FoundationEssentials
import Gateway
import Testing

/// A field of another type than the protocol's: one that is needed makes the answer invalid, any other one is passed over.
@Suite struct AnswerTypesTests {
  /// A value of each type.
  private static let values = ["17", "1.5", #""text""#, "null", "true", "{}", #"{"a": 1}"#, "[]", "[1]", "-1e400"]

  private struct Field: Sendable, CustomTestStringConvertible {
    var name: String
    /// Values that make the whole answer invalid.
    var needed: Set<String> = []
    var testDescription: String { name }
  }

  private static func rest(_ types: Set<String>) -> Set<String> { Set(values).subtracting(types) }
  private static let text: Set<String> = [#""text""#]

  private static let entryFields = [
    // A whole number names a task too.
    Field(name: "taskId", needed: rest(text.union(["17"]))), Field(name: "state", needed: rest(text)),
    Field(name: "userId"),
    Field(name: "connectedAt"), Field(name: "assignedAt"), Field(name: "unknown"),
  ]

  @Test(arguments: entryFields) private func anEntryOfTheStatus(field: Field) {
    let right = ["taskId": #""t""#, "state": #""warm""#, "userId": #""u""#, "connectedAt": #""x""#]
    for value in Self.values {
      let entry = right.merging([field.name: value]) { $1 }.map { "\"\($0)\": \($1)" }.joined(separator: ", ")
      let body = "{\"warmCount\": 1, \"assignedCount\": 0, \"tasks\": [{\(entry)}]}"
      let status = try? JSONDecoder().decode(StatusAnswer.self, from: Data(body.utf8))
      #expect((status == nil) == field.needed.contains(value), "\(body)")
      if let status { #expect(status.tasks?.count == 1 && status.warmCount == 1) }
    }
  }

  private static let statusFields = [
    Field(name: "warmCount", needed: rest(["17"])), Field(name: "assignedCount"), Field(name: "tasks", needed: ["[1]"]),
    Field(name: "efsMounted"), Field(name: "unknown"),
  ]

  @Test(arguments: statusFields) private func theStatus(field: Field) {
    let right = ["warmCount": "1", "assignedCount": "2", "tasks": #"[{"taskId": "t", "state": "assigned"}]"#]
    for value in Self.values {
      let body =
        "{" + right.merging([field.name: value]) { $1 }.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
      let status = try? JSONDecoder().decode(StatusAnswer.self, from: Data(body.utf8))
      #expect((status == nil) == field.needed.contains(value), "\(body)")
    }
  }

  /// Where a status names no tasks, the count alone tells how many are with users.
  @Test func theCountOfAssignedTasksIsNeededWhereNoTasksAreNamed() throws {
    let decode = { (body: String) in try? JSONDecoder().decode(StatusAnswer.self, from: Data(body.utf8)) }
    #expect(decode(#"{"warmCount": 1, "assignedCount": "2"}"#) == nil)
    #expect(decode(#"{"warmCount": 1}"#) == nil)
    let named = #"{"warmCount": 1, "tasks": [{"taskId": "a", "state": "assigned"}, {"taskId": "b", "state": "warm"}]}"#
    #expect(decode(named)?.assignedCount == 1)
  }

  /// A user that is there and is no text is somebody, and nobody of this run.
  @Test(arguments: ["17", "true", "{}", "[]"]) func aUserThatIsNoTextIsAUserAllTheSame(value: String) throws {
    let entry = "{\"taskId\": \"t\", \"state\": \"assigned\", \"userId\": \(value)}"
    let body = "{\"warmCount\": 0, \"assignedCount\": 1, \"tasks\": [\(entry)]}"
    let status = try JSONDecoder().decode(StatusAnswer.self, from: Data(body.utf8))
    #expect(status.tasks?.first?.userId == "")
  }

  private static let acquireFields = [
    // False is a miss: what it says must be understood.
    Field(name: "success", needed: rest(["true", "null"])), Field(name: "taskArn"), Field(name: "taskId"),
    Field(name: "userId"), Field(name: "sessionId"), Field(name: "latency"), Field(name: "source"),
    Field(name: "breakdown"), Field(name: "error"), Field(name: "warmCount"), Field(name: "code"),
    Field(name: "unknown"),
  ]

  @Test(arguments: acquireFields) private func theAnswerToAnAcquire(field: Field) {
    for value in Self.values {
      let body = "{\"taskId\": \"t\", \"taskArn\": \"a/t\", \"latency\": 1, \"\(field.name)\": \(value)}"
      let answer = try? JSONDecoder().decode(AcquireAnswer.self, from: Data(body.utf8))
      guard !["taskId", "taskArn", "latency"].contains(field.name) else {
        let body = "{\"\(field.name == "taskId" ? "taskArn" : "taskId")\": \"t\", \"\(field.name)\": \(value)}"
        let answer = try? JSONDecoder().decode(AcquireAnswer.self, from: Data(body.utf8))
        let names = [#""text""#: "text", "17": "17"]
        #expect(answer?.task == (field.name == "taskId" ? names[value] : nil) ?? "t", "\(body)")
        continue
      }
      #expect((answer == nil) == field.needed.contains(value), "\(body)")
      if let answer { #expect(answer.task == "t") }
    }
  }

  @Test(arguments: ["init_user_ms", "workspace_ms", "process_start_ms", "acquire_ms"])
  func aPhaseThatIsNoNumberIsAbsentAndTheOthersAreThere(phase: String) throws {
    for value in Self.values {
      let fields = ["init_user_ms", "workspace_ms", "process_start_ms", "acquire_ms"].map {
        "\"\($0)\": \($0 == phase ? value : "2")"
      }
      let body = "{\"type\": \"session_ready\", \"taskId\": \"t\", \"breakdown\": {\(fields.joined(separator: ", "))}}"
      let message = try? JSONDecoder().decode(SessionMessage.self, from: Data(body.utf8))
      let phases = [
        "init_user_ms": message?.breakdown?.initUserMs, "workspace_ms": message?.breakdown?.workspaceMs,
        "process_start_ms": message?.breakdown?.processStartMs, "acquire_ms": message?.breakdown?.acquireMs,
      ]
      for (name, value) in phases where name != phase { #expect(value == 2, "\(body)") }
    }
  }

  private static let releaseFields = [
    Field(name: "success", needed: rest(["true"])), Field(name: "taskId"), Field(name: "error"), Field(name: "unknown"),
  ]

  @Test(arguments: releaseFields) private func theAnswerToARelease(field: Field) {
    let right = ["success": "true", "taskId": #""t""#]
    for value in Self.values {
      let body =
        "{" + right.merging([field.name: value]) { $1 }.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
      let answer = try? JSONDecoder().decode(ReleaseAnswer.self, from: Data(body.utf8))
      #expect((answer == nil) == field.needed.contains(value), "\(body)")
    }
  }

  private static let sessionFields = [
    Field(name: "type", needed: rest(text)), Field(name: "taskId"), Field(name: "breakdown"), Field(name: "error"),
    Field(name: "source"), Field(name: "unknown"),
  ]

  @Test(arguments: sessionFields) private func aMessageOfTheSession(field: Field) {
    for value in Self.values {
      let right = ["type": #""session_ready""#].merging([field.name: value]) { $1 }
      let body = "{" + right.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
      let message = try? JSONDecoder().decode(SessionMessage.self, from: Data(body.utf8))
      #expect((message == nil) == field.needed.contains(value), "\(body)")
    }
  }

  /// An error whose details cannot be read is an error all the same, and not the user's answer.
  @Test(arguments: values) func anErrorOfTheSessionStaysOne(value: String) throws {
    for body in [
      "{\"type\": \"error\", \"error\": \(value)}",
      "{\"type\": \"error\", \"error\": {\"message\": \(value), \"code\": \"C\"}}",
      "{\"type\": \"error\", \"error\": {\"message\": \"m\", \"code\": \(value)}}", "{\"type\": \"error\"}",
    ] {
      #expect(try JSONDecoder().decode(SessionMessage.self, from: Data(body.utf8)).error != nil, "\(body)")
    }
  }

  private static let taskFields = [
    Field(name: "type", needed: rest(text)), Field(name: "sessionId"), Field(name: "env"), Field(name: "unknown"),
  ]

  @Test(arguments: taskFields) private func aMessageToATask(field: Field) {
    for value in Self.values {
      let right = ["type": #""init_user""#, "userId": #""u""#].merging([field.name: value]) { $1 }
      let body = "{" + right.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
      let message = try? JSONDecoder().decode(GatewayToTask.self, from: Data(body.utf8))
      #expect((message == nil) == field.needed.contains(value), "\(body)")
    }
  }
}
