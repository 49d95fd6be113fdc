import Glibc
import NIOPosix
import ProcessControl
import Synchronization
import Transport
public import WarmTask

/// An event of a task that was asked to start; reported from any thread.
public enum RunnerEvent: Sendable {
  /// The task's process runs, or its agent where it has no process.
  case running
  /// The task has ended, or could not be started; its last event.
  case ended(reason: String)
}

/// Runs tasks, either as processes or as agents in the gateway's own process. A task connects to the gateway by itself.
public protocol TaskRunner: Sendable {
  /// Starts a task and returns at once.
  ///
  /// - Parameters:
  ///   - gatewayURL: the URL at which the task finds its gateway, `ws://host:port`.
  ///   - report: called with `.running` at most once, and then with `.ended` exactly once.
  func start(_ taskID: String, gatewayURL: String, report: @escaping @Sendable (RunnerEvent) -> Void)

  /// Begins to end a task and returns at once; no effect on a task that does not run.
  func stop(_ taskID: String)

  /// Ends all tasks, and returns when all have ended.
  func stopAll() async

  /// Whether each task is a process, which ``kill(_:)`` kills.
  var hasProcesses: Bool { get }

  /// Ends a task at once and without order, as a crash does; returns at once. No effect on a task that does not run.
  func kill(_ taskID: String)
}

extension TaskRunner {
  /// False: the tasks have no processes.
  public var hasProcesses: Bool { false }

  /// Stops the task; its owner breaks its socket.
  public func kill(_ taskID: String) { stop(taskID) }
}

/// The runner of a gateway without tasks of its own: its pool holds the tasks that connect to it.
public struct NoTasks: TaskRunner {
  /// Makes the runner.
  public init() {}

  /// Reports that no task can be started.
  public func start(_ taskID: String, gatewayURL: String, report: @escaping @Sendable (RunnerEvent) -> Void) {
    report(.ended(reason: "this gateway has no tasks of its own"))
  }

  /// Does nothing.
  public func stop(_ taskID: String) {}

  /// Does nothing.
  public func stopAll() async {}
}

/// Runs tasks as processes of the program `warm-task`. A task ends when this process dies, because its standard input,
/// which is its lifeline, ends then.
public final class ProcessTaskRunner: TaskRunner {
  private enum Child {
    case starting(isUnwanted: Bool)
    case running(ChildProcess)
  }

  private let executable: String
  private let arguments: [String]
  private let environment: [String: String]
  private let children = Mutex<[String: Child]>([:])
  /// The time that a task has for an orderly end.
  private static let grace = Duration.seconds(3)

  /// - Parameters:
  ///   - executable: the path of `warm-task`.
  ///   - arguments: the arguments of every task beside its id, its gateway and its lifeline.
  ///   - environment: the whole environment of a task.
  public init(executable: String, arguments: [String], environment: [String: String]) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
  }

  /// Process ids of the tasks that run, by task.
  public var processIDs: [String: Int32] {
    children.withLock { children in
      children.compactMapValues { if case .running(let process) = $0 { process.pid } else { nil } }
    }
  }

  /// Starts a process; the spawning itself happens on the process keeper's thread.
  public func start(_ taskID: String, gatewayURL: String, report: @escaping @Sendable (RunnerEvent) -> Void) {
    children.withLock { $0[taskID] = .starting(isUnwanted: false) }
    var variables = environment
    variables["GATEWAY_WS_URL"] = gatewayURL
    variables["WARM_POOL_MODE"] = "true"
    var request = ProcessRequest(
      executable: executable,
      arguments: ["--task-id", taskID, "--gateway-url", gatewayURL, "--lifeline"] + arguments,
      environment: variables, standardInput: .pipe, standardOutput: .null, endsGroupWithLeader: true)
    request.ignoredSignals = TerminationSignals.ignoredAtStart
    ProcessKeeper.shared.spawn(request) { [self] result in
      switch result {
      case .failure(let error):
        report(.ended(reason: error.description))
        children.withLock { $0[taskID] = nil }
      case .success(let process): started(taskID, process, report)
      }
    }
  }

  private func started(_ taskID: String, _ process: ChildProcess, _ report: @escaping @Sendable (RunnerEvent) -> Void) {
    let isUnwanted = children.withLock { children in
      defer { children[taskID] = .running(process) }
      if case .starting(isUnwanted: true)? = children[taskID] { return true }
      return false
    }
    report(.running)
    process.whenEnded { [self] status in
      // The report comes before the removal: `stopAll` returns when no task is left, and no report may follow then.
      report(.ended(reason: "its process ended with \(status)"))
      children.withLock { $0[taskID] = nil }
    }
    if isUnwanted { Self.terminate(process) }
  }

  /// Ends a task's lifeline, and sends SIGKILL to the whole process group after the grace.
  public func stop(_ taskID: String) {
    let process: ChildProcess? = children.withLock { children in
      switch children[taskID] {
      case .running(let process): return process
      case .starting:
        children[taskID] = .starting(isUnwanted: true)
        return nil
      case nil: return nil
      }
    }
    if let process { Self.terminate(process) }
  }

  /// True: each task is a process of `warm-task`.
  public var hasProcesses: Bool { true }

  /// Sends SIGKILL to the task's process group.
  public func kill(_ taskID: String) {
    let child = children.withLock { $0[taskID] }
    if case .running(let process)? = child { process.signalGroup(SIGKILL) } else { stop(taskID) }
  }

  private static func terminate(_ process: ChildProcess) {
    process.standardInput?.close()
    Task {
      try? await Task.sleep(for: grace)
      process.signalGroup(SIGKILL)
    }
  }

  /// Returns when every process has ended, at most about 3 s later.
  public func stopAll() async {
    for taskID in children.withLock({ Array($0.keys) }) { stop(taskID) }
    while !children.withLock({ $0.isEmpty }) {
      try? await Task.sleep(for: .milliseconds(5))
    }
  }
}

/// Runs thousands of tasks as agents in the gateway's own process: the agent of `warm-task`, on event loops that are
/// not the gateway's.
public final class VirtualTaskRunner: TaskRunner {
  private let program: UserProgram
  private let workspaceRoot: String
  private let environmentName: String
  private let userIDs: UserIDRange?
  private let tasks = Mutex<[String: Task<Void, Never>]>([:])

  /// - Parameters:
  ///   - program: the program that runs for a user; `.inline` for no process at all.
  ///   - workspaceRoot: the shared directory.
  ///   - environmentName: the directory above the users' directories.
  ///   - userIDs: the uids of users' programs; nil: all have this process'.
  public init(
    program: UserProgram, workspaceRoot: String, environmentName: String, userIDs: UserIDRange? = nil
  ) {
    self.userIDs = userIDs
    self.program = program
    self.workspaceRoot = workspaceRoot
    self.environmentName = environmentName
  }

  /// Starts an agent.
  public func start(_ taskID: String, gatewayURL: String, report: @escaping @Sendable (RunnerEvent) -> Void) {
    guard let gateway = try? Endpoint(parsing: gatewayURL) else {
      return report(.ended(reason: "'\(gatewayURL)' is no URL"))
    }
    var configuration = WarmTaskConfiguration(gateway: gateway, program: program, workspaceRoot: workspaceRoot)
    configuration.environmentName = environmentName
    configuration.userIDs = userIDs
    let life = configuration
    tasks.withLock { tasks in
      tasks[taskID] = Task { [self] in
        report(.running)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let outcome = await WarmTaskAgent.run(taskId: taskID, configuration: life, on: loop)
        // The report comes before the removal: `stopAll` returns when no task is left, and no report may follow then.
        report(.ended(reason: "its agent ended: \(outcome)"))
        self.tasks.withLock { $0[taskID] = nil }
      }
    }
  }

  /// Cancels the agent, which then ends in order.
  public func stop(_ taskID: String) {
    tasks.withLock { $0[taskID] }?.cancel()
  }

  /// Returns when every agent has ended.
  public func stopAll() async {
    let all = tasks.withLock { Array($0.values) }
    for task in all { task.cancel() }
    for task in all { await task.value }
  }
}
