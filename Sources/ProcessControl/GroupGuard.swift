import CProcess
import Glibc
import Synchronization

/// Ends whole process groups when this process is gone, even by SIGKILL: `PR_SET_PDEATHSIG` reaches a group's leader only,
/// not the processes that the leader has put into the background.
///
/// The guard is a process of its own, started with the first group, which sees this process' end as the end of a pipe. A
/// process that leaves its group (`setsid`) is beyond it.
final class GroupGuard: Sendable {
  static let shared = GroupGuard()

  /// -1 until the first group.
  private let pipe = Mutex<CInt>(-1)

  /// Guards a group from now on. Where the guard can't be started, the group's leader still dies with this process.
  func add(_ group: Int32) {
    pipe.withLock { pipe in
      if pipe < 0, cprocess_guard(&pipe) != 0 { return }
      Self.tell(group, pipe)
    }
  }

  /// To be called while the group's number is certainly still the group's: before its leader is reaped.
  func remove(_ group: Int32) {
    pipe.withLock { if $0 >= 0 { Self.tell(-group, $0) } }
  }

  /// Whole at once, being shorter than PIPE_BUF.
  private static func tell(_ number: Int32, _ pipe: CInt) {
    var number = number
    while write(pipe, &number, MemoryLayout<Int32>.size) < 0, errno == EINTR {}
  }
}
