import NIOPosix
import Synchronization
import Transport
public import WarmTask

/// Tasks as agents in the gateway's own process, thousands of them: the same agent as in `warm-task`, on event loops that are
/// not the gateway's.
public final class VirtualTaskRunner: TaskRunner {
  private let program: UserProgram
  private let workspaceRoot: String
  private let environmentName: String
  private let tasks = Mutex<[String: Task<Void, Never>]>([:])

  /// - Parameters:
  ///   - program: What runs for a user; `.inline` for no process at all.
  ///   - workspaceRoot: The shared directory.
  ///   - environmentName: The directory above the users'.
  public init(program: UserProgram, workspaceRoot: String, environmentName: String) {
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
    let life = configuration
    tasks.withLock { tasks in
      tasks[taskID] = Task { [self] in
        report(.running)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let outcome = await WarmTaskAgent.run(taskId: taskID, configuration: life, on: loop)
        // In this order, so that nothing is left to report when `stopAll` returns.
        report(.ended(reason: "its agent ended: \(outcome)"))
        self.tasks.withLock { $0[taskID] = nil }
      }
    }
  }

  /// Cancels the agent, which ends in order.
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
