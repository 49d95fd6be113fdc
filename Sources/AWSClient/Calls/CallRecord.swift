/// What one successful call cost.
public struct CallRecord: Sendable, Equatable {
  /// `ListTasks`.
  public var operation: String
  /// The tries it took, 1 and up.
  public var attempts: Int
  /// Of the last try alone, the one that was answered.
  public var timings: TransferTimings
  /// `x-amzn-requestid`.
  public var requestID: String?

  init(_ response: HTTPResponse, _ operation: String, attempts: Int) {
    self.operation = operation
    self.attempts = attempts
    timings = response.timings
    requestID = response.requestID
  }
}
