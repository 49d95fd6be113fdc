import NIOCore
public import Transport

extension GatewayRequests {
  /// A command that gives a task back by hand: the release's request as curl sends it. Header fields of the user's are named,
  /// their values never; where a profile has a place for the token, it says `TOKEN`. nil for a task whose name is no plain word, as it came from outside
  /// and goes into no shell, and where the profile has no release.
  public func releaseCommand(taskID: String, at endpoint: Endpoint) -> String? {
    guard !taskID.isEmpty, taskID.utf8.count <= 200, taskID.utf8.allSatisfy(Self.isPlain) else { return nil }
    var request = ByteBuffer()
    switch speech.release {
    case .native: release(taskID: taskID, CookieJar(), into: &request)
    case .by(let role):
      let values = ProfileValues([.task: taskID, .token: "TOKEN"])
      call(
        role.call.method, role.call.path.text(values), body: role.call.body?.text(values), CookieJar(), into: &request)
    case .absent: return nil
    }
    let text = String(buffer: request)
    guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
    let words = text.prefix { $0 != "\r\n" }.split(separator: " ")
    let body = text[end.upperBound...]
    guard words.count == 3, !words[1].contains("'"), !body.contains("'") else { return nil }
    let root = endpoint.httpURL.dropLast(endpoint.basePath.count)
    let headers = headerNames.map { " -H '\($0): …'" }.joined()
    let data = body.isEmpty ? "" : " -H 'Content-Type: application/json' -d '\(body)'"
    let command = "curl -X \(words[0])\(headers)\(data) '\(root)\(words[1])'"
    return secrets.removed(from: command)
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "._-:/".utf8.contains(byte)
    }
  }
}
