package import GatewayProtocol
import NIOCore
package import Transport

extension GatewayProfile.Acquire {
  /// What `exchange` says by this profile.
  package func outcome(of exchange: HTTPExchange) -> AcquireOutcome {
    let response = exchange.response
    let root = JSONNode.parse(response.body.readableBytesView)
    if let miss, miss.holds(status: response.status, root) { return .miss(exchange) }
    func failed(_ error: GatewayError) -> AcquireOutcome {
      .failed(error, firstByteWrittenAt: exchange.firstByteWrittenAt)
    }
    guard success.holds(status: response.status, root) else {
      guard (200...299).contains(response.status) else { return failed(.unexpectedStatus(response)) }
      return failed(
        GatewayError(kind: "refused", message: "no success by the profile: \(String.printable(response.bodyText))"))
    }
    guard let root else { return failed(.invalidAnswer("not the JSON expected", response)) }
    guard let task = task.text(in: root) else { return failed(.invalidAnswer("the answer names no task", response)) }
    let answer = AcquireAnswer(
      success: true, taskId: task, latency: latency?.value(in: root)?.number, source: source?.text(in: root))
    return .assigned(Acquisition(answer: answer, exchange: exchange))
  }
}

extension GatewayProfile.Release {
  /// Without a profile's word: an answer of these is about the task where it is JSON, and about the call where it is a page.
  private static let statusesOfRefusal = [400, 404, 405, 409, 410]

  /// When the answer was read, in ns; kind `release_refused` when the gateway knows no such task (any more), and
  /// `release_unsupported` when it has no such call.
  func outcome(of exchange: HTTPExchange) -> Result<UInt64, GatewayError> {
    let response = exchange.response
    let root = JSONNode.parse(response.body.readableBytesView)
    if success.holds(status: response.status, root) { return .success(exchange.lastByteReadAt) }
    let isRefused =
      refused.map { $0.holds(status: response.status, root) }
      ?? (root != nil && Self.statusesOfRefusal.contains(response.status))
    if isRefused {
      let reason = "status \(response.status): \(response.bodyText)"
      return .failure(GatewayError(kind: "release_refused", message: .printable(reason)))
    }
    if [404, 405].contains(response.status) {
      return .failure(GatewayError(kind: "release_unsupported", message: "the gateway has no such call of release"))
    }
    guard (200...299).contains(response.status) else { return .failure(.unexpectedStatus(response)) }
    return .failure(
      GatewayError(kind: "release_refused", message: .printable("no success by the profile: \(response.bodyText)")))
  }
}

extension GatewayProfile.Status {
  /// The pool as `response` shows it.
  package func answer(in response: HTTPResponse) throws(GatewayError) -> StatusAnswer {
    guard let root = JSONNode.parse(response.body.readableBytesView) else {
      throw .invalidAnswer("not the JSON expected", response)
    }
    guard let warmCount = Self.count(warm, in: root) else {
      throw .invalidAnswer("the answer does not say how many tasks are warm", response)
    }
    var tasks: [TaskEntry]?
    if case .array(let entries)? = self.tasks?.value(in: root) {
      tasks = try entries.map { entry throws(GatewayError) in
        guard let entry = task(entry) else { throw .invalidAnswer("a task in the answer has no name", response) }
        return entry
      }
    }
    let assigned = self.assigned.flatMap { Self.count($0, in: root) } ?? tasks?.count { $0.state == "assigned" }
    return StatusAnswer(warmCount: warmCount, assignedCount: assigned ?? 0, tasks: tasks)
  }

  private func task(_ entry: JSONNode) -> TaskEntry? {
    guard let id = taskID?.text(in: entry) else { return nil }
    let user = user?.value(in: entry)
    let written = state?.text(in: entry)
    let state =
      switch written {
      case let written? where warmStates.contains(written): "warm"
      case let written?: written
      case nil: user == nil ? "warm" : "assigned"
      }
    return TaskEntry(
      taskId: id, state: state, userId: user.map { $0.text ?? "" }, connectedAt: connectedAt?.text(in: entry))
  }

  private static func count(_ field: ProfileField, in root: JSONNode) -> Int? {
    field.value(in: root)?.number.flatMap { Int(exactly: $0) }
  }
}

extension HTTPResponse {
  fileprivate var bodyText: String { String(decoding: body.readableBytesView.prefix(120), as: UTF8.self) }
}
