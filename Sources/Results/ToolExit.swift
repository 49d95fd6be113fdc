/// How a tool ends.
package enum ToolExit: Sendable, Equatable {
  /// Every threshold met.
  case pass
  /// A threshold was crossed, or the generator was saturated.
  case thresholdCrossed
  /// The run could not be done, or was worthless.
  case failed
  /// A signal ended the run; what was measured so far is written.
  case interrupted(signal: Int32)

  /// The process's exit status: 0, 99 (k6's convention), 1, or 128 and the signal's number.
  package var status: Int32 {
    switch self {
    case .pass: 0
    case .thresholdCrossed: 99
    case .failed: 1
    case .interrupted(let signal): 128 + signal
    }
  }

  /// Whether the exit status is that of a run that SIGHUP, SIGINT, SIGQUIT or SIGTERM ended.
  package static func isInterruption(_ status: Int32) -> Bool { [129, 130, 131, 143].contains(status) }
}
