import Glibc

/// Why a child was not started. Nothing is left behind: no process, no descriptor.
public struct SpawnError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The step that failed.
  public enum Step: Sendable, Equatable {
    /// The keeper's own thread or descriptors.
    case keeper
    /// The request itself: a NUL in a string.
    case request
    /// Making the pipes, or installing them as standard streams.
    case descriptors
    /// Making the process.
    case fork
    /// Entering the working directory.
    case workingDirectory
    /// Executing the program.
    case execute
    /// Watching for its end.
    case watch
  }

  /// The step that failed.
  public let step: Step
  /// The system's error number.
  public let errno: Int32
  /// What was to be started.
  public let executable: String
  /// Where it was to be started, if that was said.
  public let workingDirectory: String?

  /// The executable does not exist, or the interpreter that its first line names.
  public var isNotFound: Bool { step == .execute && errno == ENOENT }

  /// For people.
  public var description: String {
    let reason = String(cString: strerror(errno))
    return switch step {
    case .request: "cannot start '\(executable)': an argument, a variable or a path contains a NUL byte"
    case .workingDirectory: "cannot start '\(executable)' in '\(workingDirectory ?? "")': \(reason)"
    case .execute where isNotFound: "cannot start '\(executable)': no such program; give its path, or a name in PATH"
    case .execute: "cannot execute '\(executable)': \(reason)"
    case .keeper, .descriptors, .fork, .watch: "cannot start '\(executable)': \(reason) (\(step))"
    }
  }
}
