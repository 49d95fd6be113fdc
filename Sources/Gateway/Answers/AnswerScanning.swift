import FoundationEssentials
import NIOCore
import Transport

/// An answer that is asked for once per iteration, and is therefore read from its bytes where that suffices.
package protocol ScannableAnswer: Decodable {
  /// The answer in `bytes`, exactly as `JSONDecoder` would give it; nil wherever that might not be so, and for anything
  /// invalid: then `JSONDecoder` decides. The limits are those of `FlatObject`, and a field that is there twice, or whose
  /// value is of another type than expected, counts as unusual too.
  init?(scanning bytes: UnsafeRawBufferPointer)
}

extension ScannableAnswer {
  static func decode(_ response: HTTPResponse) throws(GatewayError) -> Self {
    if let answer = response.body.withUnsafeReadableBytes({ Self(scanning: $0) }) { return answer }
    return try decodeJSON(response)
  }
}

extension Decodable {
  /// By the full parser.
  fileprivate static func decodeJSON(_ response: HTTPResponse) throws(GatewayError) -> Self {
    do {
      return try JSONDecoder().decode(Self.self, from: Data(response.body.readableBytesView))
    } catch {
      throw .invalidAnswer("not the JSON expected", response)
    }
  }
}

extension StatusAnswer {
  /// A list of tasks is not flat: nothing to scan.
  static func decode(_ response: HTTPResponse) throws(GatewayError) -> Self { try decodeJSON(response) }
}

extension AcquireAnswer: ScannableAnswer {
  package init?(scanning bytes: UnsafeRawBufferPointer) {
    var fields = FieldReader()
    var answer = AcquireAnswer()
    let isWhole = FlatObject.scan(bytes) { name, value in
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
    let isWhole = FlatObject.scan(bytes) { name, value in
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

/// Takes each numbered field once, if its value is null or of the field's type.
private struct FieldReader {
  private var seen: UInt16 = 0

  mutating func take(_ value: FlatObject.Value, into field: inout String?, _ number: UInt16) -> Bool {
    if case .string(let token) = value {
      field = token.text
    } else {
      guard case .null = value else { return false }
    }
    return isFirst(number)
  }

  mutating func take(_ value: FlatObject.Value, into field: inout Bool?, _ number: UInt16) -> Bool {
    if case .bool(let bool) = value {
      field = bool
    } else {
      guard case .null = value else { return false }
    }
    return isFirst(number)
  }

  mutating func take(_ value: FlatObject.Value, into field: inout Double?, _ number: UInt16) -> Bool {
    if case .number(let parsed) = value {
      field = parsed.double
    } else {
      guard case .null = value else { return false }
    }
    return isFirst(number)
  }

  mutating func take(_ value: FlatObject.Value, into field: inout Int?, _ number: UInt16) -> Bool {
    if case .number(let parsed) = value {
      guard let integer = parsed.integer else { return false }
      field = integer
    } else {
      guard case .null = value else { return false }
    }
    return isFirst(number)
  }

  mutating func takeNull(_ value: FlatObject.Value, _ number: UInt16) -> Bool {
    guard case .null = value else { return false }
    return isFirst(number)
  }

  private mutating func isFirst(_ number: UInt16) -> Bool {
    let bit: UInt16 = 1 << number
    defer { seen |= bit }
    return seen & bit == 0
  }
}
