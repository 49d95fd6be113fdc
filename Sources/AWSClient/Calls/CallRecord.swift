/// What one successful call cost.
public struct CallRecord: Sendable, Equatable {
  /// `ListTasks`.
  public var operation: String
  /// The tries it took, 1 and up.
  public var attempts: Int
  /// How many of those tries the service refused because there were too many calls.
  public var throttles: Int
  /// Of the last try alone, the one that was answered.
  public var timings: TransferTimings
  /// `x-amzn-requestid`.
  public var requestID: String?

  init(_ response: HTTPResponse, _ operation: String, attempts: Int, throttles: Int) {
    self.operation = operation
    self.attempts = attempts
    self.throttles = throttles
    timings = response.timings
    requestID = response.requestID
  }
}
