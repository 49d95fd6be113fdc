import Glibc
import Latency
import ProcessControl
import Results

/// Why the suite ends early, and what must be done then. A value without side effects.
///
/// The running tool has a process group of its own, so a signal to the suite's group reaches the suite alone. The suite
/// passes it on once, however often `timeout` or a CI runner repeats it within a second.
struct SuiteEnd: Sendable {
  enum Cause: Sendable, Equatable {
    case signal(Int32)
    case deadline
  }

  enum Action: Sendable, Equatable {
    /// Send the running tool this signal, and start nothing more.
    case signalTool(Int32)
    /// After a second signal: write the files at once, and do nothing else.
    case hurry
  }

  /// The first cause; a signal replaces the deadline, because its sender waits for the exit status that names the
  /// signal.
  private(set) var cause: Cause?
  private var order = TerminationEscalation()

  /// Takes a signal that arrived at `now`.
  mutating func receive(_ signal: Int32, at now: Instant) -> [Action] {
    switch order.receive(signal, at: now) {
    case .endsInOrder:
      // After the deadline the tool is ending in order already: another signal would end it at once.
      defer { cause = .signal(signal) }
      return cause == .deadline ? [] : [.signalTool(signal)]
    case .isRepetition: return []
    case .endsAtOnce: return [.signalTool(signal), .hurry]
    }
  }

  /// The time of `--deadline` is over. On SIGTERM the running tool writes what it has measured.
  mutating func passDeadline() -> [Action] {
    guard cause == nil else { return [] }
    cause = .deadline
    return [.signalTool(SIGTERM)]
  }

  /// Takes how a tool ended. A signal that reached the tool alone is meant for the whole run.
  mutating func toolEnded(_ end: ToolEnd) {
    if cause == nil, let signal = end.interruption { cause = .signal(signal) }
  }
}

extension SuiteEnd.Cause {
  /// The signal that the running tool gets.
  var signal: Int32 {
    switch self {
    case .signal(let number): number
    case .deadline: SIGTERM
    }
  }

  /// The suite's exit status, however the tools ended.
  var exitStatus: Int32 {
    switch self {
    case .signal(let number): 128 + number
    case .deadline: ToolExit.failed.status
    }
  }

  /// `SIGTERM`, `deadline`.
  var name: String {
    switch self {
    case .signal(let number): SignalName.of(number)
    case .deadline: "deadline"
    }
  }

  var notRunReason: String { self == .deadline ? "interrupted: deadline" : "interrupted" }
}
