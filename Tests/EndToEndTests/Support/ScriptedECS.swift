import AWSTestSupport
import Foundation
import Synchronization

/// An ECS that keeps one service's tasks in memory, as far as `bench-exhaustion` sees it. Each task is listed at once when
/// it is started, and RUNNING so long after.
final class ScriptedECS: Sendable {
  struct Rules: Sendable {
    /// How many tasks the service keeps.
    var desiredCount = 3
    /// From being listed to RUNNING, in seconds.
    var pendingSeconds = 0.0
    /// From a task's end until the service starts another, in seconds.
    var placementSeconds = 0.2
    /// Operations that are answered with AccessDeniedException.
    var denied: Set<String> = []
    /// Operations that are answered so from their call of this number on, counted from 1.
    var deniedFrom: [String: Int] = [:]
    /// Operations that are answered so once so many tasks were stopped.
    var deniedAfterStops: [String: Int] = [:]
    /// Of the calls of an operation, counted from 1, those that are throttled.
    var throttled: [String: ClosedRange<Int>] = [:]
    /// Whether the answers to DescribeTasks have the instants of the starts.
    var hasInstants = true
    /// desiredCount becomes this when the first task is stopped: an autoscaler's doing.
    var scalesTo: Int?
    /// What the service is, and what it becomes when the first task is stopped.
    var status = "ACTIVE"
    var becomes: String?
    /// How many roll-outs there are from the first StopTask on: one that somebody has begun.
    var deploymentsAfterStop: Int?
    /// How many of its tasks there are at the beginning, if not all.
    var initialTasks: Int?
    /// Tasks of another service in the same cluster, listed all the same.
    var foreignTasks = 0
    /// How many roll-outs of the service are under way, and the latest one's id.
    var deployments = 1
    var deployment = "ecs-svc/0"
    /// Called before the first StopTask is answered.
    var beforeFirstStop: @Sendable () -> Void = {}
    /// What a StopTask takes, in seconds.
    var stopSeconds = 0.0
    /// What an operation takes once a task was stopped, in seconds.
    var secondsAfterStop: [String: Double] = [:]
    /// Whether it is done before its answer rather than with it.
    var stopsBeforeAnswer = false
  }

  private struct Task {
    var id: String
    var listedAt: Double
  }

  private struct State {
    var rules: Rules
    var tasks: [Task] = []
    var stopped: [String] = []
    var calls: [String: Int] = [:]
    var next = 0

    mutating func start(listedAt: Double) {
      next += 1
      tasks.append(Task(id: "task-\(next)", listedAt: listedAt))
    }
  }

  private let state: Mutex<State>

  init(_ rules: Rules) {
    var state = State(rules: rules)
    for _ in 0..<(rules.initialTasks ?? rules.desiredCount) { state.start(listedAt: 0) }
    self.state = Mutex(state)
  }

  static let environment = [
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_REGION": "eu-west-1",
    "CLUSTER": "", "SERVICE": "", "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_ECS": "", "AWS_PROFILE": "",
  ]

  var desiredCount: Int { state.withLock { $0.rules.desiredCount } }
  /// Ids, in the order in which they were stopped.
  var stopped: [String] { state.withLock { $0.stopped } }
  /// Changes the service or the rules from now on.
  func change(_ body: (inout Rules) -> Void) { state.withLock { body(&$0.rules) } }
  func calls(_ operation: String) -> Int { state.withLock { $0.calls[operation] ?? 0 } }

  /// Runs `body` while it serves at `url`.
  func serve<Value: Sendable>(_ body: (_ url: String) async throws -> Value) async throws -> Value {
    try await HTTPTestServer.run { [self] request in
      let operation = request.header("x-amz-target")?.split(separator: ".").last.map(String.init) ?? ""
      let rules = state.withLock { $0.rules }
      let late = stopped.isEmpty ? 0 : rules.secondsAfterStop[operation] ?? 0
      let delay = Duration.seconds(operation == "StopTask" ? rules.stopSeconds : late)
      if operation == "StopTask", calls(operation) == 0 { rules.beforeFirstStop() }
      if !rules.stopsBeforeAnswer { try? await _Concurrency.Task.sleep(for: delay) }
      let (status, answer) = respond(operation, body: request.body)
      if rules.stopsBeforeAnswer { try? await _Concurrency.Task.sleep(for: delay) }
      return .answer(
        status: status,
        headers: [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", "request-of-\(operation)")],
        body: answer)
    } _: { server in
      try await body(server.url)
    }
  }

  private func respond(_ operation: String, body: [UInt8]) -> (Int, [UInt8]) {
    let now = Date().timeIntervalSince1970
    return state.withLock { state in
      let input = (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] ?? [:]
      state.calls[operation, default: 0] += 1
      let number = state.calls[operation] ?? 0
      if state.rules.denied.contains(operation) || number >= state.rules.deniedFrom[operation] ?? .max
        || state.stopped.count >= state.rules.deniedAfterStops[operation] ?? .max
      {
        return (400, Self.error("AccessDeniedException", "not authorized to perform: ecs:\(operation)"))
      }
      if state.rules.throttled[operation]?.contains(state.calls[operation] ?? 0) == true {
        return (400, Self.error("ThrottlingException", "Rate exceeded"))
      }
      return (200, Self.bytes(Self.answer(operation, input, &state, now)))
    }
  }

  private static func error(_ code: String, _ message: String) -> [UInt8] {
    bytes(["__type": code, "message": message])
  }

  private static func bytes(_ answer: [String: Any]) -> [UInt8] {
    (try? JSONSerialization.data(withJSONObject: answer)).map(Array.init) ?? []
  }

  private static func answer(
    _ operation: String, _ input: [String: Any], _ state: inout State, _ now: Double
  ) -> [String: Any] {
    switch operation {
    case "ListTasks":
      let foreign = (0..<state.rules.foreignTasks).map { "other-\($0)" }
      return ["taskArns": (state.tasks.filter { $0.listedAt <= now }.map(\.id) + foreign).map(arn)]
    case "DescribeTasks":
      let asked = (input["tasks"] as? [String] ?? []).map { $0.split(separator: "/").last.map(String.init) ?? $0 }
      let own = state.tasks.filter { asked.contains($0.id) }.map { description($0, state.rules, now) }
      let foreign = asked.filter { $0.hasPrefix("other-") }.map { id in
        ["taskArn": arn(id), "lastStatus": "RUNNING", "desiredStatus": "RUNNING", "group": "service:other"]
      }
      return ["tasks": own + foreign]
    case "StopTask":
      let id = (input["task"] as? String)?.split(separator: "/").last.map(String.init) ?? ""
      state.tasks.removeAll { $0.id == id }
      state.stopped.append(id)
      if let count = state.rules.scalesTo.take() { state.rules.desiredCount = count }
      if let status = state.rules.becomes.take() { state.rules.status = status }
      if let count = state.rules.deploymentsAfterStop.take() { state.rules.deployments = count }
      if state.tasks.count < state.rules.desiredCount { state.start(listedAt: now + state.rules.placementSeconds) }
      return ["task": ["taskArn": arn(id), "lastStatus": "RUNNING", "desiredStatus": "STOPPED"]]
    case "UpdateService":
      state.rules.desiredCount = input["desiredCount"] as? Int ?? state.rules.desiredCount
      return ["service": service(state)]
    case "DescribeServices":
      return (input["services"] as? [String]) == ["warm"]
        ? ["services": [service(state)]] : ["services": [], "failures": [["arn": "x", "reason": "MISSING"]]]
    default: return [:]
    }
  }

  private static func arn(_ id: String) -> String { "arn:aws:ecs:eu-west-1:123456789012:task/pool/\(id)" }

  private static func description(_ task: Task, _ rules: Rules, _ now: Double) -> [String: Any] {
    let runsAt = task.listedAt + rules.pendingSeconds
    var description: [String: Any] = [
      "taskArn": arn(task.id), "lastStatus": now >= runsAt ? "RUNNING" : "PENDING", "desiredStatus": "RUNNING",
      "group": "service:warm",
    ]
    if rules.hasInstants, now >= runsAt, task.listedAt > 0 {
      description["createdAt"] = task.listedAt
      description["pullStartedAt"] = task.listedAt
      description["pullStoppedAt"] = task.listedAt + rules.pendingSeconds / 2
      description["startedAt"] = runsAt
    }
    return description
  }

  private static func service(_ state: State) -> [String: Any] {
    [
      "serviceArn": "arn:aws:ecs:eu-west-1:123456789012:service/pool/warm", "serviceName": "warm",
      "status": state.rules.status, "desiredCount": state.rules.desiredCount, "runningCount": state.tasks.count,
      "pendingCount": 0,
      "deployments": (0..<state.rules.deployments).map {
        ["id": $0 == 0 ? state.rules.deployment : "older/\($0)", "status": $0 == 0 ? "PRIMARY" : "ACTIVE"]
      },
    ]
  }
}
