import AWSTestSupport
import Synchronization

/// STS, an instance's metadata and a container's agent on one loopback port. Whatever is secret in its answers, and in what
/// tests send to it, has `s3cr3t` in it.
final class CredentialServer: Sendable {
  /// An hour after ``ManualEnvironment``'s first instant.
  static let expiration = "2026-02-02T03:40:00Z"

  let url: String
  private let received: RequestList

  var requests: [HTTPTestServer.Request] { received.values.withLock { $0 } }

  private final class RequestList: Sendable {
    let values = Mutex<[HTTPTestServer.Request]>([])
  }

  private init(url: String, received: RequestList) {
    self.url = url
    self.received = received
  }

  /// - Parameter expiration: when the credentials end that its answers have.
  static func run<Value: Sendable>(
    expiration end: String = expiration, _ body: (CredentialServer) async throws -> Value
  ) async throws -> Value {
    let received = RequestList()
    return try await HTTPTestServer.run(reactingAtOnce: { request in
      received.values.withLock { $0.append(request) }
      return reaction(to: request, end)
    }) { server in
      try await body(CredentialServer(url: server.url, received: received))
    }
  }

  private static func reaction(to request: HTTPTestServer.Request, _ end: String) -> HTTPTestServer.Reaction {
    switch (request.method, request.path) {
    case ("POST", _): securityTokenService(request, end)
    case ("PUT", let path) where path.hasSuffix("/latest/api/token"): instanceToken(request)
    case ("GET", let path) where path.contains("/latest/meta-data/iam/security-credentials/"): instance(request)
    default: container(request, end)
    }
  }

  static func document(_ key: String, token: String = "Token", expiration: String = expiration) -> String {
    #"{"Code":"Success","AccessKeyId":"\#(key)","SecretAccessKey":"s3cr3t-\#(key)","\#(token)":"s3cr3t-token","#
      + #""Expiration":"\#(expiration)"}"#
  }

  private static func text(_ status: Int, _ text: String) -> HTTPTestServer.Reaction {
    .answer(status: status, headers: [("x-amzn-RequestId", "req-9")], body: Array(text.utf8))
  }

  // MARK: - Container

  private static func container(_ request: HTTPTestServer.Request, _ end: String) -> HTTPTestServer.Reaction {
    switch request.path {
    case "/container": text(200, document("ASIACONTAINER", expiration: end))
    case "/refused": text(403, "no: '\(request.header("authorization") ?? "")'")
    case "/unavailable": text(503, "later")
    case "/busy": text(429, "")
    case "/html": text(200, "<html>s3cr3t</html>")
    case "/cut": text(200, String(document("ASIACUT").dropLast(20)))
    case "/keyless": text(200, #"{"SecretAccessKey":"s3cr3t","AccessKeyId":""}"#)
    case "/secretless": text(200, #"{"AccessKeyId":"A","SecretAccessKey":{"s3cr3t":1}}"#)
    case "/tokenless": text(200, #"{"AccessKeyId":"A","SecretAccessKey":"s3cr3t","Token":["s3cr3t"]}"#)
    case "/endless": text(200, document("A", expiration: "s3cr3t"))
    case "/nested": text(200, String(repeating: "[", count: 100_000) + "s3cr3t")
    case "/silent": .silence
    default: text(404, "")
    }
  }

  // MARK: - Instance

  /// The first part of the path says how the service fares.
  private static func instanceToken(_ request: HTTPTestServer.Request) -> HTTPTestServer.Reaction {
    switch request.path.split(separator: "/").first {
    case "forbidden": text(403, "s3cr3t")
    case "unavailable": text(503, "s3cr3t")
    case "silent": .silence
    case "endlesstoken": text(200, String(repeating: "s3cr3t", count: 1_000))
    case "brokentoken": text(200, "s3cr3t\r\nX: y")
    default:
      request.header("x-aws-ec2-metadata-token-ttl-seconds") == "21600" ? text(200, "s3cr3t-session") : text(400, "")
    }
  }

  private static func instance(_ request: HTTPTestServer.Request) -> HTTPTestServer.Reaction {
    guard request.header("x-aws-ec2-metadata-token") == "s3cr3t-session" else { return text(401, "") }
    let name = request.path.split(separator: "/").last
    switch (request.path.split(separator: "/").first, name) {
    case ("roleless", _): return text(404, "")
    case ("evilrole", "security-credentials"): return text(200, "../../s3cr3t?x")
    case ("untrusted", "web"): return text(200, #"{"Code":"AssumeRoleUnauthorizedAccess","Message":"s3cr3t"}"#)
    case (_, "security-credentials"): return text(200, "web\n")
    default: return text(200, document("ASIAINSTANCE"))
    }
  }

  // MARK: - STS

  /// `RoleArn` ends with what the answer is about: `…role/NAME` gives `ASIANAME`.
  private static func securityTokenService(
    _ request: HTTPTestServer.Request, _ end: String
  ) -> HTTPTestServer.Reaction {
    let form = String(decoding: request.body, as: UTF8.self)
    let fields = Dictionary(
      form.split(separator: "&").map { pair in
        let parts = pair.split(separator: "=", omittingEmptySubsequences: false)
        return (String(parts[0]), String(parts.count > 1 ? parts[1] : ""))
      }, uniquingKeysWith: { $1 })
    let action = fields["Action"] ?? ""
    let isSigned = request.header("authorization")?.hasPrefix("AWS4-HMAC-SHA256 Credential=") == true
    let role = fields["RoleArn"]?.split(separator: "%2F").last.map(String.init) ?? ""
    guard fields["Version"] == "2011-06-15", isSigned == (action == "AssumeRole") else {
      return error(400, "ValidationError", "not signed as it should be")
    }
    switch role {
    case "denied": return error(403, "AccessDenied", "User is not authorized to perform: sts:\(action)")
    case "stale": return error(400, "ExpiredTokenException", "Token expired: \(fields["WebIdentityToken"] ?? "")")
    case "echo": return error(400, "ValidationError", form + (request.header("x-amz-security-token") ?? ""))
    case "broken": return text(503, "")
    case "failing": return error(500, "InternalFailure", "oh")
    case "busy": return error(400, "Throttling", "Rate exceeded")
    case "html": return text(200, "<html><body>s3cr3t</body></html>")
    case "cut": return text(200, String(answer(action, "cut").dropLast(60)))
    case "empty": return text(200, "")
    default: return text(200, answer(action, role, end))
    }
  }

  private static func error(_ status: Int, _ code: String, _ message: String) -> HTTPTestServer.Reaction {
    text(
      status,
      """
      <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>\(code)</Code>\
      <Message>\(message)</Message></Error><RequestId>req-9</RequestId></ErrorResponse>
      """)
  }

  static func answer(_ action: String, _ role: String, _ end: String = expiration) -> String {
    """
    <?xml version="1.0"?>
    <\(action)Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
      <\(action)Result>
        <AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/\(role)/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser>
        <Credentials>
          <AccessKeyId>ASIA\(role.uppercased())</AccessKeyId>
          <SecretAccessKey>s3cr3t/&amp;&#x2b;</SecretAccessKey>
          <SessionToken>s3cr3t-session==</SessionToken>
          <Expiration>\(end)</Expiration>
        </Credentials>
      </\(action)Result>
      <ResponseMetadata><RequestId>req-9</RequestId></ResponseMetadata>
    </\(action)Response>
    """
  }
}
