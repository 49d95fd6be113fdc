import Latency
import NIOCore
import TextFormatting
package import Transport

extension GatewayProfile.Acquire {
  /// The outcome of `exchange` by this profile's conditions.
  package func outcome(of exchange: HTTPExchange) -> AcquireOutcome {
    let response = exchange.response
    let root = JSONNode.parse(response.body.readableBytesView)
    if let miss, miss.holds(status: response.status, root) { return .miss(exchange.stamps) }
    func failed(_ error: GatewayError) -> AcquireOutcome {
      .failed(error, firstByteWrittenAt: exchange.firstByteWrittenAt)
    }
    guard success.holds(status: response.status, root) else {
      guard success.admits(status: response.status) else { return failed(.unexpectedStatus(response)) }
      guard root != nil else { return failed(.invalidAnswer("not the JSON expected", response)) }
      return failed(
        GatewayError(.refused, "no success by the profile: \(PlainText.ascii(response.bodyText))"))
    }
    guard let root else { return failed(.invalidAnswer("not the JSON expected", response)) }
    guard let task = task.text(in: root) else { return failed(.invalidAnswer("the answer names no task", response)) }
    let answer = AcquireAnswer(
      success: true, taskId: task, latency: latency?.value(in: root)?.number, source: source?.text(in: root))
    return AssignedTask(answer, exchange.stamps).map { .assigned($0) }
      ?? failed(.invalidAnswer("the answer names no task", response))
  }
}

extension GatewayProfile.Release {
  /// The statuses of a refusal where the profile has no condition for it. With one of these, or with a status of
  /// success, a JSON answer is about the task, and a page is about the call.
  private static let statusesOfRefusal = [400, 404, 405, 409, 410]

  /// The instant at which the answer was read; kind `releaseRefused` when the gateway does not know the task (any
  /// more), and `releaseUnsupported` when it has no such call.
  func outcome(of exchange: HTTPExchange) -> Result<Instant, GatewayError> {
    let response = exchange.response
    let root = JSONNode.parse(response.body.readableBytesView)
    if success.holds(status: response.status, root) { return .success(exchange.lastByteReadAt) }
    let isRefused =
      refused.map { $0.holds(status: response.status, root) }
      ?? (root != nil
        && (Self.statusesOfRefusal.contains(response.status) || success.admits(status: response.status)))
    if isRefused {
      let reason = "status \(response.status): \(response.bodyText)"
      return .failure(GatewayError(.releaseRefused, PlainText.ascii(reason)))
    }
    if [404, 405].contains(response.status) {
      return .failure(GatewayError(.releaseUnsupported, "the gateway has no such call of release"))
    }
    guard success.admits(status: response.status) else { return .failure(.unexpectedStatus(response)) }
    let fault = root == nil ? "not the JSON expected" : "neither a success nor a refusal by the profile"
    return .failure(.invalidAnswer(fault, response))
  }
}

extension GatewayProfile.Status {
  /// The pool's state in `response`.
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
        guard let entry = task(entry) else {
          throw .invalidAnswer("a task in the answer has no name or no state", response)
        }
        return entry
      }
    }
    let assigned = self.assigned.flatMap { Self.count($0, in: root) } ?? tasks?.count { $0.state == "assigned" }
    guard assigned != nil || self.assigned == nil else {
      throw .invalidAnswer("the answer does not say how many tasks are assigned", response)
    }
    return StatusAnswer(warmCount: warmCount, assignedCount: assigned ?? 0, tasks: tasks)
  }

  /// A task of the list; nil where it lacks its id, or the state that the profile has a place for.
  private func task(_ entry: JSONNode) -> TaskEntry? {
    guard let id = taskID?.text(in: entry) else { return nil }
    let user = user?.value(in: entry)
    // An id of a wrong type becomes the empty text, which equals no known id.
    let name: String? = user.map { if case .string(let text) = $0 { text } else { "" } }
    let connectedAt = connectedAt?.text(in: entry)
    guard let field = state else {
      return TaskEntry(
        taskId: id, state: user == nil ? "warm" : "assigned", userId: name, connectedAt: connectedAt)
    }
    guard case .string(let written)? = field.value(in: entry) else { return nil }
    return TaskEntry(
      taskId: id, state: warmStates.contains(written) ? "warm" : written, userId: name, connectedAt: connectedAt)
  }

  private static func count(_ field: ProfileField, in root: JSONNode) -> Int? {
    field.value(in: root)?.number.flatMap { Int(exactly: $0) }
  }
}

extension HTTPResponse {
  fileprivate var bodyText: String { String(decoding: body.readableBytesView.prefix(120), as: UTF8.self) }
}

/// A condition on answers or messages of a gateway. Pure.
///
/// A condition holds where all parts of one of its sets hold. Only ``any`` holds for a message that is not JSON.
package struct ProfileCondition: Sendable, Equatable {
  /// The requirement on a value.
  package enum Expectation: Sendable, Equatable {
    /// The value is one of these; a missing value counts as null.
    case oneOf([JSONNode])
    /// Whether a value other than null must be there.
    case exists(Bool)
    /// The value is a text that contains this one; case does not count.
    case contains(String)
  }

  /// Parts that must all hold.
  package struct Parts: Sendable, Equatable {
    /// The allowed HTTP statuses; nil: any.
    package var status: [Int]?
    /// The requirements by place in the answer's JSON.
    package var fields: [JSONPointer: Expectation]

    /// Makes a set of parts.
    package init(status: [Int]? = nil, fields: [JSONPointer: Expectation] = [:]) {
      self.status = status
      self.fields = fields
    }

    fileprivate func holds(status: Int?, _ root: JSONNode?) -> Bool {
      if let wanted = self.status, !wanted.contains(where: { $0 == status }) { return false }
      return fields.allSatisfy { pointer, expectation in
        guard let root else { return false }
        let value = pointer.value(in: root)
        return switch expectation {
        case .oneOf(let values): values.contains(value ?? .null)
        case .exists(let isThere): ((value ?? .null) != .null) == isThere
        case .contains(let part): value?.text.map { $0.lowercased().contains(part.lowercased()) } ?? false
        }
      }
    }
  }

  /// Sets of parts, of which one must hold; empty: the condition holds for every message, also for one that is not
  /// JSON.
  package var alternatives: [Parts]

  /// Makes a condition.
  package init(_ alternatives: [Parts]) { self.alternatives = alternatives }

  /// The condition that holds for every message.
  package static let any = ProfileCondition([])

  /// Whether the condition holds for every message, so that no message needs parsing.
  package var isAny: Bool { alternatives.isEmpty }

  /// Whether the condition can hold for an answer with `status`; a set of parts without statuses admits 200–299.
  package func admits(status: Int) -> Bool {
    isAny || alternatives.contains { $0.status?.contains(status) ?? (200...299).contains(status) }
  }

  /// Whether the condition holds for an answer with `status` (nil: a message, which has none) and `root` (nil: not
  /// JSON).
  package func holds(status: Int? = nil, _ root: JSONNode?) -> Bool {
    isAny || alternatives.contains { $0.holds(status: status, root) }
  }
}
