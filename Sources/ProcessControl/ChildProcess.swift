import CProcess
import Glibc
public import Latency
import Synchronization

/// A child process in a process group of its own. Releasing this object does not stop the child.
public final class ChildProcess: Sendable {
  /// The process id, which is also the id of its group.
  public let pid: Int32
  /// The instant right before the fork.
  public let spawnedAt: Instant
  /// Our end of the child's standard input, if a pipe was asked for. Closing it gives the child the end of file.
  public let standardInput: OwnedDescriptor?
  /// Our end of the child's standard output, if a pipe was asked for.
  public let standardOutput: OwnedDescriptor?
  /// Our end of the child's standard error, if a pipe was asked for.
  public let standardError: OwnedDescriptor?
  /// Our end of the pipe that is the child's descriptor 3, if one was asked for.
  public let reports: OwnedDescriptor?

  private enum State {
    case running(pidfd: OwnedDescriptor, waiting: [@Sendable (ExitStatus) -> Void])
    case ended(ExitStatus)
  }
  private let state: Mutex<State>
  private let endsGroupWithLeader: Bool
  private let isGuarded: Bool

  init(
    pid: Int32, pidfd: OwnedDescriptor, spawnedAt: Instant, endsGroupWithLeader: Bool, isGuarded: Bool,
    standardInput: OwnedDescriptor?, standardOutput: OwnedDescriptor?, standardError: OwnedDescriptor?,
    reports: OwnedDescriptor?
  ) {
    self.pid = pid
    self.spawnedAt = spawnedAt
    self.endsGroupWithLeader = endsGroupWithLeader
    self.isGuarded = isGuarded
    self.standardInput = standardInput
    self.standardOutput = standardOutput
    self.standardError = standardError
    self.reports = reports
    state = Mutex(.running(pidfd: pidfd, waiting: []))
  }

  /// How the child ended; nil while it runs.
  public var exitStatus: ExitStatus? {
    state.withLock { state in
      if case .ended(let status) = state { status } else { nil }
    }
  }

  /// Calls `body` once with the exit status: on the keeper's thread when the child ends, or at once if it has ended.
  public func whenEnded(_ body: @escaping @Sendable (ExitStatus) -> Void) {
    let status: ExitStatus? = state.withLock { state in
      switch state {
      case .ended(let status): return status
      case .running(let pidfd, var waiting):
        waiting.append(body)
        state = .running(pidfd: pidfd, waiting: waiting)
        return nil
      }
    }
    if let status { body(status) }
  }

  /// Waits for the child's end. Any number of callers may wait, also after the end. Cancellation does not shorten the
  /// wait: signal the child instead.
  public func waitForExit() async -> ExitStatus {
    await withCheckedContinuation { continuation in whenEnded { continuation.resume(returning: $0) } }
  }

  /// Sends a signal to the child alone. Returns false if the child has ended. Another process never gets the signal.
  @discardableResult
  public func signal(_ number: Int32) -> Bool {
    state.withLock { state in
      guard case .running(let pidfd, _) = state else { return false }
      return cprocess_signal(pidfd.descriptor, number) == 0
    }
  }

  /// Sends a signal to the child's whole process group. Returns false if the child has been reaped, because the group's
  /// number may then belong to another group.
  @discardableResult
  public func signalGroup(_ number: Int32) -> Bool {
    state.withLock { state in
      guard case .running = state else { return false }
      return kill(-pid, number) == 0
    }
  }

  /// Called by the keeper when the pidfd is readable. Returns false if the child has not ended.
  func reap() -> Bool {
    let ended: (ExitStatus, [@Sendable (ExitStatus) -> Void])? = state.withLock { state in
      guard case .running(let pidfd, let waiting) = state else { return nil }
      // The child is still a zombie here, so its group's number cannot have been reused.
      if endsGroupWithLeader { kill(-pid, SIGKILL) }
      if isGuarded { ProcessGroupGuard.shared.remove(pid) }
      var code: Int32 = 0
      var wasSignaled = false
      let status: ExitStatus
      switch cprocess_reap(pid, &code, &wasSignaled) {
      case 0: status = wasSignaled ? .signaled(code) : .exited(code)
      case EAGAIN: return nil
      default: status = .unknown
      }
      pidfd.close()
      state = .ended(status)
      return (status, waiting)
    }
    guard let (status, waiting) = ended else { return false }
    for body in waiting { body(status) }
    return true
  }
}
