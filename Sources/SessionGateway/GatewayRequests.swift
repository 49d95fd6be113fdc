import GatewayProtocol
import NIOCore
public import Transport

/// The requests of one gateway as bytes: everything that never changes is put together once.
public struct GatewayRequests: Sendable {
  private let acquirePrefix: ByteBuffer
  private let releasePrefix: ByteBuffer
  private let statusRequest: ByteBuffer
  /// The names of the header fields that the user gave.
  let headerNames: [String]
  private let sessionProbe: (prefix: String, fields: String)

  /// Prepares requests to `endpoint`, each with `headers`, whose names and values have been checked.
  public init(to endpoint: Endpoint, headers: [(name: String, value: String)] = []) {
    headerNames = headers.map(\.name)
    let extra = headers.map { "\($0.name): \($0.value)\r\n" }.joined()
    func head(_ method: String, _ path: String) -> String {
      "\(method) \(endpoint.basePath)\(path) HTTP/1.1\r\nHost: \(endpoint.hostHeader)\r\nAccept: application/json\r\n\(extra)"
    }
    sessionProbe = (
      "GET \(endpoint.basePath)/session/",
      " HTTP/1.1\r\nHost: \(endpoint.hostHeader)\r\n\(extra)Connection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Version: 13\r\n\r\n"
    )
    let json = "Content-Type: application/json\r\nContent-Length: "
    acquirePrefix = ByteBuffer(string: head("POST", "/api/acquire") + json)
    releasePrefix = ByteBuffer(string: head("POST", "/api/release") + json)
    statusRequest = ByteBuffer(string: head("GET", "/api/status") + "\r\n")
  }

  /// Replaces what is in `request` by `POST /api/acquire` for a valid user id, which needs no escaping in JSON.
  func acquire(userID: String, waitForReady: Bool, into request: inout ByteBuffer) {
    let (opening, closing): (StaticString, StaticString) =
      ("{\"userId\":\"", waitForReady ? "\",\"waitFor\":\"ready\"}" : "\"}")
    let length = opening.utf8CodeUnitCount + userID.utf8.count + closing.utf8CodeUnitCount
    begin(&request, acquirePrefix, bodyLength: length)
    request.writeStaticString(opening)
    request.writeString(userID)
    request.writeStaticString(closing)
  }

  /// Replaces what is in `request` by `POST /api/release` of a task id as the gateway gave it.
  func release(taskID: String, into request: inout ByteBuffer) {
    let quoted = JSONText.needsEscapes(taskID) ? JSONText.quoted(taskID) : nil
    let opening: StaticString = "{\"taskId\":"
    let length = opening.utf8CodeUnitCount + (quoted?.utf8.count ?? taskID.utf8.count + 2) + 1
    begin(&request, releasePrefix, bodyLength: length)
    request.writeStaticString(opening)
    if let quoted {
      request.writeString(quoted)
    } else {
      request.writeStaticString("\"")
      request.writeString(taskID)
      request.writeStaticString("\"")
    }
    request.writeStaticString("}")
  }

  /// A request to upgrade `/session/{userID}` without its `Sec-WebSocket-Key`, which no server may grant (RFC 6455,
  /// section 4.2.1).
  func sessionProbe(userID: String) -> ByteBuffer {
    ByteBuffer(string: sessionProbe.prefix + userID + sessionProbe.fields)
  }

  /// `GET /api/status`.
  var status: ByteBuffer { statusRequest }

  private func begin(_ request: inout ByteBuffer, _ prefix: ByteBuffer, bodyLength: Int) {
    request.clear(minimumCapacity: prefix.readableBytes + Self.lengthDigits + bodyLength)
    request.writeImmutableBuffer(prefix)
    request.writeDecimal(bodyLength)
    request.writeStaticString("\r\n\r\n")
  }

  /// Room for the digits of any length and the end of the head.
  private static let lengthDigits = 24
}

extension ByteBuffer {
  /// Writes `number`, 0 or more, in decimal digits.
  fileprivate mutating func writeDecimal(_ number: Int) {
    var power = 1
    while power <= number / 10 { power *= 10 }
    while power > 0 {
      writeInteger(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / power % 10))
      power /= 10
    }
  }
}
