import FoundationEssentials
public import Latency
import NIOCore
import TextFormatting
public import Transport

/// An assigned task: what a user needs of the gateway's answer, and the exchange's stamps.
public struct AssignedTask: Sendable {
  /// The word of a gateway that tells warm from cold.
  package enum Source: UInt8, Sendable {
    case warm
    case cold
    /// A word that the suite does not know.
    case other
  }

  /// The task's name.
  public let task: TaskID
  private let given: Source?
  /// The gateway's own measurement, in milliseconds.
  public let latency: Double?
  /// The stamps of the request and its response.
  public let stamps: ExchangeStamps

  /// `"warm"` or `"cold"`, `"other"` for every other word; nil where the gateway gives none.
  public var source: String? {
    switch given {
    case .warm: "warm"
    case .cold: "cold"
    case .other: "other"
    case nil: nil
    }
  }

  package init(_ task: TaskID, source: Source?, latency: Double?, _ stamps: ExchangeStamps) {
    self.task = task
    given = source
    self.latency = latency
    self.stamps = stamps
  }

  /// nil where the answer names no task.
  init?(_ answer: AcquireAnswer, _ stamps: ExchangeStamps) {
    guard let name = answer.task else { return nil }
    let source: Source? =
      switch answer.source {
      case "warm": .warm
      case "cold": .cold
      case nil: nil
      default: .other
      }
    self.init(TaskID(name), source: source, latency: answer.latency, stamps)
  }

  /// The task that a plain answer assigns, read from its bytes without any copy. nil for every other answer, and
  /// wherever ``AcquireAnswer`` might be read differently.
  init?(scanning bytes: UnsafeRawBufferPointer, _ stamps: ExchangeStamps) {
    var fields = FieldReader()
    var (success, task, source, latency) = (Bool?.none, TaskID?.none, Source?.none, Double?.none)
    let isWhole = FlatJSONObject.scan(bytes) { name, value in
      switch name {
      case "success": return fields.take(value, into: &success, 0)
      case "taskId":
        guard case .string(let token) = value, token.count > 0 else { return false }
        task = TaskID(token.bytes)
        return fields.isFirst(1)
      case "source":
        guard case .string(let token) = value else { return false }
        source =
          switch token {
          case "warm": .warm
          case "cold": .cold
          default: .other
          }
        return fields.isFirst(2)
      case "latency": return fields.take(value, into: &latency, 3)
      case "userId", "sessionId", "taskArn":
        guard case .string = value else { return false }
        return true
      // Fields of a miss or a failure, which the full reader weighs.
      case "error", "warmCount", "code", "breakdown": return false
      default: return true
      }
    }
    guard isWhole, success != false, let task else { return nil }
    self.init(task, source: source, latency: latency, stamps)
  }
}

/// The outcome of `POST /api/acquire`.
public enum AcquireOutcome: Sendable {
  /// A task was assigned.
  case assigned(AssignedTask)
  /// A miss: the pool had no warm task, which is neither a success nor a failure of the gateway.
  case miss(ExchangeStamps)
  /// The call failed.
  case failed(GatewayError, firstByteWrittenAt: Instant?)

  /// The outcome of an answer in either dialect.
  init(_ exchange: HTTPExchange) {
    do throws(GatewayError) {
      guard exchange.response.status == 200 else { throw .unexpectedStatus(exchange.response) }
      let answer = try AcquireAnswer.decode(exchange.response)
      if answer.success == false {
        try Self.throwUnlessMiss(answer)
        self = .miss(exchange.stamps)
      } else {
        guard let task = AssignedTask(answer, exchange.stamps) else {
          throw .invalidAnswer("the answer names no task", exchange.response)
        }
        self = .assigned(task)
      }
    } catch {
      self = .failed(error, firstByteWrittenAt: exchange.firstByteWrittenAt)
    }
  }

  /// Throws unless the answer is a miss: a refusal without a task whose warm count is 0 or whose error says that no
  /// task is warm.
  private static func throwUnlessMiss(_ answer: AcquireAnswer) throws(GatewayError) {
    // A code such as TASK_START_FAILED names a failure, even where the pool is empty too.
    if let code = answer.code {
      if code == "NO_WARM_TASK" { return }
    } else if answer.warmCount == 0 || answer.error?.lowercased().contains("no warm task") ?? false {
      return
    }
    let reason = [answer.code, answer.error].compactMap { $0 }.first { !$0.isEmpty } ?? "no reason given"
    throw GatewayError(.refused, PlainText.ascii(reason))
  }
}

/// The outcome of `POST /api/release`.
enum ReleaseOutcome {
  /// Whether `bytes` are a plain answer of success, which is read without any copy. False for every other answer, which
  /// the full reader weighs.
  static func isPlainSuccess(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var fields = FieldReader()
    var success: Bool?
    let isWhole = FlatJSONObject.scan(bytes) { name, value in
      switch name {
      case "success": return fields.take(value, into: &success, 0)
      case "taskId":
        guard case .string = value else { return false }
        return fields.isFirst(1)
      case "error": return false
      default: return true
      }
    }
    return isWhole && success == true
  }

  /// The instant at which the answer was read; kind `releaseRefused` when the gateway does not know the task (any
  /// more), and `releaseUnsupported` when it has no such call.
  static func read(_ exchange: HTTPExchange) -> Result<Instant, GatewayError> {
    let response = exchange.response
    let decoded = Result { () throws(GatewayError) in try ReleaseAnswer.decode(response) }
    switch (response.status, decoded) {
    case (200, .success(let answer)) where answer.success: return .success(exchange.lastByteReadAt)
    // Any other status with such an answer, such as 401 or 503, leaves the task assigned.
    case (200, .success(let answer)), (400, .success(let answer)), (404, .success(let answer)),
      (405, .success(let answer)), (409, .success(let answer)), (410, .success(let answer)):
      let reason = answer.error ?? "status \(response.status)"
      return .failure(GatewayError(.releaseRefused, PlainText.ascii(reason)))
    case (200, .failure(let error)): return .failure(error)
    case (404, .failure), (405, .failure):
      return .failure(GatewayError(.releaseUnsupported, "the gateway has no /api/release"))
    default: return .failure(.unexpectedStatus(response))
    }
  }
}

/// An answer that each iteration asks for, and which is therefore read straight from its bytes where that suffices.
package protocol ScannableAnswer: Decodable {
  /// The answer in `bytes`, equal to the result of `JSONDecoder`. nil for an invalid text and wherever the results
  /// might differ; then `JSONDecoder` decides. The limits are those of `FlatJSONObject`; a repeated field, or a value
  /// of another type than expected, gives nil too.
  init?(scanning bytes: UnsafeRawBufferPointer)
}

extension ScannableAnswer {
  static func decode(_ response: HTTPResponse) throws(GatewayError) -> Self {
    if let answer = response.body.withUnsafeReadableBytes({ Self(scanning: $0) }) { return answer }
    return try decodeJSON(response)
  }
}

extension Decodable {
  /// Decodes the answer with the full parser.
  fileprivate static func decodeJSON(_ response: HTTPResponse) throws(GatewayError) -> Self {
    do {
      return try JSONDecoder().decode(Self.self, from: Data(response.body.readableBytesView))
    } catch {
      throw .invalidAnswer("not the JSON expected", response)
    }
  }
}

extension StatusAnswer {
  /// Decodes the status with the full parser, because a list of tasks is not flat.
  static func decode(_ response: HTTPResponse) throws(GatewayError) -> Self { try decodeJSON(response) }
}

extension AcquireAnswer: ScannableAnswer {
  package init?(scanning bytes: UnsafeRawBufferPointer) {
    var fields = FieldReader()
    var answer = AcquireAnswer()
    let isWhole = FlatJSONObject.scan(bytes) { name, value in
      switch name {
      case "success": fields.take(value, into: &answer.success, 0)
      case "taskId": fields.take(value, into: &answer.taskId, 1)
      case "source": fields.take(value, into: &answer.source, 2)
      case "latency": fields.take(value, into: &answer.latency, 3)
      case "userId": fields.take(value, into: &answer.userId, 4)
      case "sessionId": fields.take(value, into: &answer.sessionId, 5)
      case "taskArn": fields.take(value, into: &answer.taskArn, 6)
      case "error": fields.take(value, into: &answer.error, 7)
      case "warmCount": fields.take(value, into: &answer.warmCount, 8)
      case "code": fields.take(value, into: &answer.code, 9)
      case "breakdown": fields.takeNull(value, 10)
      default: true
      }
    }
    guard isWhole else { return nil }
    self = answer
  }
}

extension ReleaseAnswer: ScannableAnswer {
  package init?(scanning bytes: UnsafeRawBufferPointer) {
    var fields = FieldReader()
    var (success, taskId, error) = (Bool?.none, String?.none, String?.none)
    let isWhole = FlatJSONObject.scan(bytes) { name, value in
      switch name {
      case "success": fields.take(value, into: &success, 0)
      case "taskId": fields.take(value, into: &taskId, 1)
      case "error": fields.take(value, into: &error, 2)
      default: true
      }
    }
    guard isWhole, let success else { return nil }
    self.init(success: success, taskId: taskId, error: error)
  }
}

/// Takes each numbered field once, if its value is null or has the field's type.
struct FieldReader {
  private var seen: UInt16 = 0

  mutating func take(_ value: FlatJSONObject.Value, into field: inout String?, _ number: UInt16) -> Bool {
    if case .string(let token) = value {
      field = token.text
    } else {
      guard case .null = value else { return false }
    }
    return isFirst(number)
  }

  mutating func take(_ value: FlatJSONObject.Value, into field: inout Bool?, _ number: UInt16) -> Bool {
    if case .bool(let bool) = value {
      field = bool
    } else {
      guard case .null = value else { return false }
    }
    return isFirst(number)
  }

  mutating func take(_ value: FlatJSONObject.Value, into field: inout Double?, _ number: UInt16) -> Bool {
    if case .number(let parsed) = value {
      field = parsed.double
    } else {
      guard case .null = value else { return false }
    }
    return isFirst(number)
  }

  mutating func take(_ value: FlatJSONObject.Value, into field: inout Int?, _ number: UInt16) -> Bool {
    if case .number(let parsed) = value {
      guard let integer = parsed.integer else { return false }
      field = integer
    } else {
      guard case .null = value else { return false }
    }
    return isFirst(number)
  }

  mutating func takeNull(_ value: FlatJSONObject.Value, _ number: UInt16) -> Bool {
    guard case .null = value else { return false }
    return isFirst(number)
  }

  mutating func isFirst(_ number: UInt16) -> Bool {
    let bit: UInt16 = 1 << number
    defer { seen |= bit }
    return seen & bit == 0
  }
}
