public import ProcessControl
public import Transport

/// Something that happened inside a task, for a benchmark that supplies the tasks itself.
public struct TaskEvent: Sendable, Equatable {
  /// What happened.
  public enum Kind: Sendable, Equatable {
    /// The WebSocket is open: the task is warm.
    case connected
    /// `init_user` or `init_user_session` has been read.
    case initReceived(userId: String)
    /// The user's directory is there; not reported where none is made.
    case workspaceReady
    /// The user's program was started; the instant is right before the fork. No pid for the inline program.
    case processStarted(pid: Int32?)
    /// The program's first line has been read.
    case firstLine
    /// The confirmation goes to the socket.
    case readySent
    /// The task's life is over, its process gone and its socket closed.
    case ended(TaskOutcome)
  }

  /// The task.
  public let taskId: String
  /// What happened.
  public let kind: Kind
  /// When: `CLOCK_MONOTONIC` in nanoseconds, taken on the event loop.
  public let at: UInt64
}

/// Called on the task's event loop: it must not block.
public typealias TaskObserver = @Sendable (TaskEvent) -> Void

/// How a task's life ended.
public enum TaskOutcome: Sendable, Equatable {
  /// The gateway could not be reached, or refused.
  case notConnected(WebSocketError)
  /// The gateway closed the socket before it assigned a user.
  case retired
  /// The gateway closed the socket of an assigned task.
  case released
  /// The user's program ended by itself, after it was ready; the gateway has been told.
  case processEnded(ExitStatus)
  /// There is no session for the user; the gateway has been told why.
  case initFailed(String)
  /// The socket broke, or the gateway broke the protocol.
  case connectionLost(WebSocketError)
  /// The agent was cancelled.
  case stopped
}
