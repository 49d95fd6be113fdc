import Glibc
import ProcessControl

/// What ends the suite early, and what that asks for. Pure.
///
/// The running tool has a process group of its own, so that a signal to the suite's group reaches the suite alone, which hands
/// it on: once, however often `timeout` or a CI runner repeats it within a second.
struct SuiteEnd: Sendable {
  enum Cause: Sendable, Equatable {
    case signal(Int32)
    case deadline
  }

  enum Action: Sendable, Equatable {
    /// The running tool gets this signal; nothing more is started.
    case signalTool(Int32)
    /// Somebody has waited long enough: the files are written at once, and that is all.
    case hurry
  }

  /// The first cause; a signal comes before the deadline: who sent it waits for the status that says so.
  private(set) var cause: Cause?
  private var order = EndSignalOrder()

  /// Takes a signal that came to the suite at `now`, in ns.
  mutating func receive(_ signal: Int32, at now: UInt64) -> [Action] {
    switch order.receive(signal, at: now) {
    case .endsInOrder:
      // After the deadline the tool is ending in order already: another signal would end it at once.
      defer { cause = .signal(signal) }
      return cause == .deadline ? [] : [.signalTool(signal)]
    case .isRepetition: return []
    case .endsAtOnce: return [.signalTool(signal), .hurry]
    }
  }

  /// The time of `--deadline` is over. A tool takes SIGTERM as the order to write what it has.
  mutating func passDeadline() -> [Action] {
    guard cause == nil else { return [] }
    cause = .deadline
    return [.signalTool(SIGTERM)]
  }

  /// Takes how a tool ended. One that somebody has interrupted alone was one of a run that is to end.
  mutating func toolEnded(_ end: ToolEnd) {
    if cause == nil, let signal = end.interruption { cause = .signal(signal) }
  }
}

extension SuiteEnd.Cause {
  /// What the running tool is sent.
  var signal: Int32 {
    switch self {
    case .signal(let number): number
    case .deadline: SIGTERM
    }
  }

  /// The suite's, whatever the tools made of it.
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
