/// What becomes of a task that was asked to start; reported from any thread.
public enum RunnerEvent: Sendable {
  /// Its process runs (or, without a process, its agent).
  case running
  /// It has ended, or could not be started; the last event of a task.
  case ended(reason: String)
}

/// Makes tasks run: as processes, or as agents in the gateway's own process. A task connects to the gateway by itself.
public protocol TaskRunner: Sendable {
  /// Starts a task and returns at once.
  ///
  /// - Parameters:
  ///   - gatewayURL: where the task finds its gateway, `ws://host:port`.
  ///   - report: called with `.running` at most once, and then with `.ended` exactly once.
  func start(_ taskID: String, gatewayURL: String, report: @escaping @Sendable (RunnerEvent) -> Void)

  /// Begins to end a task and returns at once; one that doesn't run is passed over.
  func stop(_ taskID: String)

  /// Ends all tasks; when it returns none is left.
  func stopAll() async
}

/// A gateway without tasks of its own: whatever connects is its pool.
public struct NoTasks: TaskRunner {
  /// Makes the runner.
  public init() {}

  /// Reports that nothing can be started.
  public func start(_ taskID: String, gatewayURL: String, report: @escaping @Sendable (RunnerEvent) -> Void) {
    report(.ended(reason: "this gateway has no tasks of its own"))
  }

  /// Does nothing.
  public func stop(_ taskID: String) {}

  /// Does nothing.
  public func stopAll() async {}
}
