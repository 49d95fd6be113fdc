import NIOCore
public import Transport

extension GatewayRequests {
  /// A command that gives a task back by hand: the release's request as curl sends it. Header fields of the user's are named,
  /// their values never. nil for a task whose name is no plain word: it came from outside, and goes into no shell.
  public func releaseCommand(taskID: String, at endpoint: Endpoint) -> String? {
    guard !taskID.isEmpty, taskID.utf8.count <= 200, taskID.utf8.allSatisfy(Self.isPlain) else { return nil }
    var request = ByteBuffer()
    release(taskID: taskID, CookieJar(), into: &request)
    let text = String(buffer: request)
    guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
    let words = text.prefix { $0 != "\r\n" }.split(separator: " ")
    guard words.count == 3, !words[1].contains("'") else { return nil }
    let body = text[end.upperBound...]
    let root = endpoint.httpURL.dropLast(endpoint.basePath.count)
    let headers = headerNames.map { " -H '\($0): …'" }.joined()
    let data = body.isEmpty ? "" : " -H 'Content-Type: application/json' -d '\(body)'"
    return "curl -X \(words[0])\(headers)\(data) '\(root)\(words[1])'"
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
