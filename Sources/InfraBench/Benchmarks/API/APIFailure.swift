import AWS

/// What a failed call means for the run.
enum APIFailure: Equatable {
  /// The run is being ended.
  case interrupted
  /// The next call may fare better: it is counted, by this kind, and the run goes on.
  case passing(kind: String, example: String)
  /// No later call would fare better.
  case lasting(String)

  /// Judges `error`; `isAnyAnswered` is whether anything has answered at that endpoint so far.
  init(_ error: AWSError, of operation: APICalls.Operation, isAnyAnswered: Bool) {
    var error = error
    if error.kind == .throttled { error.hint = "call less often (--rate)" }
    if error.transfer?.code == .cancelled {
      self = .interrupted
    } else if !error.isRetryable || !isAnyAnswered && Self.isUnreachable(error) {
      self = .lasting(error.description)
    } else {
      self = .passing(kind: "\(operation.rawValue): \(Self.kind(of: error))", example: error.description)
    }
  }

  /// A connection that is lost may be anybody's; one that cannot be made is most likely to nowhere.
  private static func isUnreachable(_ error: AWSError) -> Bool {
    error.kind == .transfer && error.transfer?.code != .connectionLost
  }

  private static func kind(of error: AWSError) -> String {
    switch error.kind {
    case .throttled: return "throttled"
    case .server: return error.httpStatus.map { "http_\($0)" } ?? "server"
    default: break
    }
    return switch error.transfer?.code {
    case .nameLookup: "dns"
    case .connect: "connect_failed"
    case .timeout: "timeout"
    case .connectionLost: "connection_lost"
    case .malformedAnswer: "invalid_response"
    default: error.kind.rawValue
    }
  }
}
