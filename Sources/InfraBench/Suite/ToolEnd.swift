import Glibc
import ProcessControl

/// How a tool's process ended, in the contract's words.
struct ToolEnd: Sendable, Equatable {
  /// 0, 99, 1, 64, or that of an interruption.
  var status: Int32
  /// What is to be said of an end that no tool chooses; nil of others.
  var reason: String?
  /// The signal that interrupted it; nil where none did.
  var interruption: Int32?

  /// A tool that a signal ended before it could see to it was interrupted too; one that was killed or has crashed has failed.
  init(_ exit: ExitStatus) {
    switch exit {
    case .exited(let code) where ToolExit.isInterruption(code): self.init(status: code, interruption: code - 128)
    case .exited(let code) where [0, 1, 64, 99].contains(code): self.init(status: code)
    case .exited(let code): self.init(status: 1, reason: "it ended with the exit status \(code), which no tool has")
    case .signaled(let signal) where ToolExit.isInterruption(128 + signal):
      self.init(status: 128 + signal, interruption: signal)
    case .signaled(SIGKILL):
      self.init(status: 1, reason: "it was killed by SIGKILL: by somebody, or by the kernel for want of memory")
    case .signaled(let signal): self.init(status: 1, reason: "it crashed: \(SignalName.of(signal))")
    case .unknown: self.init(status: 1, reason: "how it ended is not known")
    }
  }

  private init(status: Int32, reason: String? = nil, interruption: Int32? = nil) {
    self.status = status
    self.reason = reason
    self.interruption = interruption
  }

  /// It was never there.
  static func notStarted(_ reason: String) -> ToolEnd { ToolEnd(status: 1, reason: reason) }
}

/// Signals by name.
enum SignalName {
  /// `SIGTERM`; of others than a program's usual ends `signal 42`.
  static func of(_ number: Int32) -> String {
    let names: [Int32: String] = [
      SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP", SIGABRT: "SIGABRT",
      SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGSEGV: "SIGSEGV", SIGPIPE: "SIGPIPE",
      SIGTERM: "SIGTERM", SIGSYS: "SIGSYS", SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ",
    ]
    return names[number] ?? "signal \(number)"
  }
}
