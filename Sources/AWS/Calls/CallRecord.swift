/// What one successful call cost. Instants are of `MonotonicClock`, in ns.
public struct CallRecord: Sendable, Equatable {
  /// `ListTasks`.
  public var operation: String
  /// The tries it took, 1 and up.
  public var attempts: Int
  /// How many of those tries the service refused because there were too many calls.
  public var throttles: Int
  /// Of the last try alone, the one that was answered.
  public var timings: TransferTimings
  /// What went before that try, in ns: tries that failed and the waits after them; 0 where the first one was answered.
  public var pauses: UInt64
  /// `x-amzn-requestid`.
  public var requestID: String?

  init(_ response: HTTPResponse, _ operation: String, attempts: Int, throttles: Int, begunAt: UInt64) {
    self.operation = operation
    self.attempts = attempts
    self.throttles = throttles
    timings = response.timings
    pauses = attempts > 1 ? response.timings.sentAt - min(begunAt, response.timings.sentAt) : 0
    requestID = response.requestID
  }
}
