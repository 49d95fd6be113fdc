import Transport

/// The outcome of `POST /api/release`.
enum ReleaseOutcome {
  /// When the answer was read, in ns; kind `release_refused` when the gateway knows no such task (any more), and
  /// `release_unsupported` when it has no such call.
  static func read(_ exchange: HTTPExchange) -> Result<UInt64, GatewayError> {
    let response = exchange.response
    let decoded = Result { () throws(GatewayError) in try ReleaseAnswer.decode(response) }
    switch (response.status, decoded) {
    case (200, .success(let answer)) where answer.success: return .success(exchange.lastByteReadAt)
    // Anything else with such an answer, such as 401 or 503, leaves the task assigned.
    case (200, .success(let answer)), (400, .success(let answer)), (404, .success(let answer)),
      (405, .success(let answer)), (409, .success(let answer)), (410, .success(let answer)):
      let reason = answer.error ?? "status \(response.status)"
      return .failure(GatewayError(kind: "release_refused", message: .printable(reason)))
    case (200, .failure(let error)): return .failure(error)
    case (404, .failure), (405, .failure):
      return .failure(GatewayError(kind: "release_unsupported", message: "the gateway has no /api/release"))
    default: return .failure(.unexpectedStatus(response))
    }
  }
}
