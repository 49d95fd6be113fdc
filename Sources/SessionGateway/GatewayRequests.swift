import GatewayProtocol
import NIOCore
public import Transport

/// The requests of one gateway as bytes: everything that never changes is put together once.
public struct GatewayRequests: Sendable {
  private let acquirePrefix: ByteBuffer
  private let releasePrefix: ByteBuffer
  private let statusRequest: ByteBuffer

  /// Prepares requests to `endpoint`, each with `headers`, whose names and values have been checked.
  public init(to endpoint: Endpoint, headers: [(name: String, value: String)] = []) {
    let extra = headers.map { "\($0.name): \($0.value)\r\n" }.joined()
    func head(_ method: String, _ path: String) -> String {
      "\(method) \(endpoint.basePath)\(path) HTTP/1.1\r\nHost: \(endpoint.hostHeader)\r\nAccept: application/json\r\n\(extra)"
    }
    let json = "Content-Type: application/json\r\nContent-Length: "
    acquirePrefix = ByteBuffer(string: head("POST", "/api/acquire") + json)
    releasePrefix = ByteBuffer(string: head("POST", "/api/release") + json)
    statusRequest = ByteBuffer(string: head("GET", "/api/status") + "\r\n")
  }

  /// `POST /api/acquire` for a valid user id, which needs no escaping in JSON.
  func acquire(userID: String, waitForReady: Bool) -> ByteBuffer {
    post(acquirePrefix, body: "{\"userId\":\"\(userID)\"\(waitForReady ? ",\"waitFor\":\"ready\"" : "")}")
  }

  /// `POST /api/release` of a task id as the gateway gave it.
  func release(taskID: String) -> ByteBuffer {
    post(releasePrefix, body: "{\"taskId\":\(JSONText.quoted(taskID))}")
  }

  /// `GET /api/status`.
  var status: ByteBuffer { statusRequest }

  private func post(_ prefix: ByteBuffer, body: String) -> ByteBuffer {
    var request = prefix
    request.writeString("\(body.utf8.count)\r\n\r\n")
    request.writeString(body)
    return request
  }
}
