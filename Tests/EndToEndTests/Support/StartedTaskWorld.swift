import Foundation
import Synchronization

/// A gateway and its ECS on one port, for runs that start tasks (`--cold-by run-task`): a task is RUNNING and at the
/// gateway as soon as RunTask has started it, unless the rules say otherwise.
final class StartedTaskWorld: Sendable {
  /// What comes of a RunTask.
  enum Start: Sendable {
    case answered
    case refused(code: String, message: String)
    /// The answer never comes; the task is there so many seconds after the call, or never.
    case unanswered(startsAfter: Double?)
    /// The answer comes so many seconds after the call, and the task is there with it.
    case late(seconds: Double)
  }

  struct Rules: Sendable {
    /// What comes of the RunTask of this number, from 1.
    var start: @Sendable (Int) -> Start = { _ in .answered }
    /// What comes of the StopTask of this number.
    var stop: @Sendable (Int) -> Start = { _ in .answered }
    /// From an answered RunTask until the task is there, in seconds.
    var connectSeconds = 0.0
    /// From a user's acquire until the status shows the task with its user, in seconds.
    var readySeconds = 0.0
    /// How long the answer to the status of this number takes, in seconds; below 0: it never comes.
    var statusSeconds: @Sendable (Int) -> Double = { _ in 0 }
    /// Who has come before each user of the run, and was given the task.
    var stranger: String?
    /// Whether the status tells whose a task is.
    var showsUsers = true
    /// Whether a task that a stranger was given has ended by the time that it is described.
    var strangersTasksEnd = false
    /// ECS operations that are answered with AccessDeniedException.
    var denied: Set<String> = []
    /// Operations that are answered so from their call of this number on, counted from 1.
    var deniedFrom: [String: Int] = [:]
    /// Whether the status names tasks.
    var namesTasks = true
  }

  private struct Task {
    var id: String
    var startedBy: String
    var listedAt: Double
    var user: String?
    var readyAt = 0.0
  }

  private struct State {
    var tasks: [Task] = []
    var stopped: [String] = []
    var calls: [String: Int] = [:]
    /// Stops of tasks that served a user.
    var stoppedUnderUsers: [String] = []
    /// Acquires that found no task.
    var misses = 0

    /// Counts a call; its number, from 1.
    mutating func count(_ name: String) -> Int {
      calls[name, default: 0] += 1
      return calls[name] ?? 0
    }
  }

  private let rules: Rules
  private let state = Mutex(State())

  init(_ rules: Rules = Rules()) { self.rules = rules }

  static let environment = [
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_SESSION_TOKEN": "",
    "AWS_PROFILE": "", "AWS_REGION": "eu-west-1",
  ]

  var stopped: [String] { state.withLock { $0.stopped } }
  var stoppedUnderUsers: [String] { state.withLock { $0.stoppedUnderUsers } }
  var misses: Int { state.withLock { $0.misses } }
  var remaining: [String] { state.withLock { $0.tasks.map(\.id) } }
  func calls(_ name: String) -> Int { state.withLock { $0.calls[name] ?? 0 } }

  static func options(_ url: String) -> [String] {
    [
      "--gateway-url", url, "--ecs-endpoint-url", url, "--cluster", "stage", "--cold-by", "run-task",
      "--task-definition", "shell", "--poll-interval", "20ms", "--force-poll-interval",
    ]
  }

  /// Runs `body` while it serves at `url`.
  func serve<Value: Sendable>(_ body: (_ url: String) async throws -> Value) async throws -> Value {
    let server = try await ScriptedGateway { [self] request in respond(request) }
    let value = try await body(server.url)
    await server.stop()
    return value
  }

  func run(_ tool: String, _ arguments: [String]) async throws -> BenchResult {
    try await serve { url in
      try await BenchRun.run(tool, Self.options(url) + arguments, environment: Self.environment)
    }
  }

  private func respond(_ request: ScriptedGateway.Request) -> ScriptedGateway.Answer {
    let now = Date().timeIntervalSince1970
    return state.withLock { state in
      let input = (try? JSONSerialization.jsonObject(with: Data(request.body.utf8))) as? [String: Any] ?? [:]
      switch request.line {
      case "GET /api/status":
        let answer = status(state, now)
        let seconds = rules.statusSeconds(state.count("status"))
        return seconds < 0 ? .silence : .late(answer, seconds: seconds)
      case "POST /api/acquire": return .json(acquire(input["userId"] as? String ?? "", &state, now))
      case "POST /api/release":
        state.tasks.removeAll { $0.id == input["taskId"] as? String }
        return .json(#"{"success": true}"#)
      case "POST /": return ecs(request, input, &state, now)
      default: return .json("{}", status: 404)
      }
    }
  }

  private func status(_ state: State, _ now: Double) -> String {
    let there = state.tasks.filter { $0.listedAt <= now }
    let entries = there.map { task in
      let user = task.readyAt <= now && rules.showsUsers ? task.user.map { #", "userId": "\#($0)""# } ?? "" : ""
      return #"{"taskId": "\#(task.id)", "state": "\#(task.user == nil ? "warm" : "assigned")"\#(user)}"#
    }
    let tasks = rules.namesTasks ? #", "tasks": [\#(entries.joined(separator: ", "))]"# : ""
    let warm = there.count { $0.user == nil }
    return #"{"warmCount": \#(warm), "assignedCount": \#(there.count - warm)\#(tasks)}"#
  }

  /// The newest task first, so that users are given one another's.
  private func acquire(_ user: String, _ state: inout State, _ now: Double) -> String {
    if let stranger = rules.stranger, let index = state.tasks.firstIndex(where: { $0.user == nil }) {
      state.tasks[index].user = stranger
    }
    guard let index = state.tasks.lastIndex(where: { $0.user == nil && $0.listedAt <= now }) else {
      state.misses += 1
      return #"{"success": false, "error": "No warm tasks available", "warmCount": 0}"#
    }
    state.tasks[index].user = user
    state.tasks[index].readyAt = now + rules.readySeconds
    return #"{"success": true, "taskId": "\#(state.tasks[index].id)", "latency": 1}"#
  }

  private func ecs(
    _ request: ScriptedGateway.Request, _ input: [String: Any], _ state: inout State, _ now: Double
  ) -> ScriptedGateway.Answer {
    let line = request.head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("x-amz-target:") }
    let name = line?.split(separator: ".").last.map(String.init) ?? "none"
    let number = state.count(name)
    if rules.denied.contains(name) || number >= rules.deniedFrom[name] ?? .max {
      return Self.refusal("AccessDeniedException", "not authorized to perform: ecs:\(name)")
    }
    switch name {
    case "RunTask": return start(rules.start(number), input["startedBy"] as? String ?? "", number, &state, now)
    case "ListTasks":
      let mark = input["startedBy"] as? String
      let arns = state.tasks.filter { $0.startedBy == mark && $0.listedAt <= now }.map { "\"\(Self.arn($0.id))\"" }
      return .json(#"{"taskArns": [\#(arns.joined(separator: ", "))]}"#)
    case "DescribeTasks":
      let asked = input["tasks"] as? [String] ?? []
      let found = state.tasks.filter { asked.contains(Self.arn($0.id)) && $0.listedAt <= now }
      let tasks = found.map { Self.description($0, isEnded: rules.strangersTasksEnd && $0.user == rules.stranger) }
      return .json(#"{"tasks": [\#(tasks.joined(separator: ", "))], "failures": []}"#)
    case "StopTask":
      let outcome = rules.stop(number)
      if case .refused(let code, let message) = outcome { return Self.refusal(code, message) }
      let id = (input["task"] as? String)?.split(separator: "/").last.map(String.init) ?? ""
      state.stopped.append(id)
      if state.tasks.contains(where: { $0.id == id && $0.user != nil }) { state.stoppedUnderUsers.append(id) }
      state.tasks.removeAll { $0.id == id }
      let answer = #"{"task": {"taskArn": "\#(Self.arn(id))", "lastStatus": "RUNNING", "desiredStatus": "STOPPED"}}"#
      if case .late(let seconds) = outcome { return .late(answer, seconds: seconds) }
      return .json(answer)
    default: return .json("{}")
    }
  }

  private func start(
    _ start: Start, _ mark: String, _ number: Int, _ state: inout State, _ now: Double
  ) -> ScriptedGateway.Answer {
    func begin(after seconds: Double) -> String {
      state.tasks.append(Task(id: "t\(number)", startedBy: mark, listedAt: now + seconds))
      return #"{"tasks": [\#(Self.description(state.tasks[state.tasks.count - 1]))], "failures": []}"#
    }
    switch start {
    case .answered: return .json(begin(after: rules.connectSeconds))
    case .refused(let code, let message): return Self.refusal(code, message)
    case .unanswered(let seconds):
      if let seconds { _ = begin(after: seconds) }
      return .silence
    case .late(let seconds): return .late(begin(after: seconds), seconds: seconds)
    }
  }

  private static func arn(_ id: String) -> String { "arn:aws:ecs:eu-west-1:123456789012:task/stage/\(id)" }

  private static func refusal(_ code: String, _ message: String) -> ScriptedGateway.Answer {
    .json(#"{"__type": "\#(code)", "message": "\#(message)"}"#, status: 400)
  }

  private static func description(_ task: Task, isEnded: Bool = false) -> String {
    let status = isEnded ? "STOPPED" : "RUNNING"
    return #"{"taskArn": "\#(arn(task.id))", "lastStatus": "\#(status)", "desiredStatus": "\#(status)", "#
      + #""startedBy": "\#(task.startedBy)"}"#
  }
}
