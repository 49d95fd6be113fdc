import Latency

/// Credentials of the EC2 instance that this process runs on, from its metadata service, version 2 with its session
/// token.
///
/// Source: "Use the Instance Metadata Service", Amazon EC2 User Guide.
struct InstanceMetadata: Sendable, Equatable {
  /// The time-out of each request. There is only one try, because on a machine outside EC2 nothing answers.
  static let timeout: Nanoseconds = .seconds(1)

  private static let rolesPath = "/latest/meta-data/iam/security-credentials/"

  /// The service's URL without a slash at the end.
  let baseURL: String

  /// The service that the settings name; `nil` where `AWS_EC2_METADATA_DISABLED` forbids its use.
  init?(environment: [String: String], profile: SharedProfile?) throws(AWSError) {
    guard environment["AWS_EC2_METADATA_DISABLED"]?.lowercased() != "true" else { return nil }
    let mode = environment["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"] ?? profile?["ec2_metadata_service_endpoint_mode"]
    let given = environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] ?? profile?["ec2_metadata_service_endpoint"]
    let ordinary = mode?.lowercased() == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254"
    let url = try ServiceEndpoint(parsing: given ?? ordinary, source: "AWS_EC2_METADATA_SERVICE_ENDPOINT").url
    baseURL = url.hasSuffix("/") ? String(url.dropLast()) : url
  }

  /// Why there are no credentials, for the list of searched places.
  static let absence = "the instance's metadata (IMDSv2): AWS_EC2_METADATA_DISABLED is true"

  var source: String { "the instance's role (IMDSv2)" }

  /// The subject of every error.
  private var place: String { "the instance's metadata (IMDSv2) at \(baseURL)" }

  func fetch(_ context: CredentialContext) async throws(AWSError) -> IssuedCredentials {
    let token = try await text(
      HTTPRequest(
        method: .put, url: "\(baseURL)/latest/api/token", headers: [("X-aws-ec2-metadata-token-ttl-seconds", "21600")]),
      "session token", context)
    let isHeaderValue = token.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    guard isHeaderValue, token.utf8.count <= 4_096 else { throw .configuration("\(place) gave no session token") }
    let roles = try await text(get(Self.rolesPath, token), "role", context)
    guard let role = roles.split(whereSeparator: \.isNewline).first.map(String.init), Self.isRoleName(role) else {
      throw .configuration("\(place) names no role")
    }
    let document = try CredentialDocument(
      Array(try await text(get(Self.rolesPath + role, token), "credentials", context).utf8), from: place)
    if let code = document["Code"], code != "Success" {
      throw .configuration("\(place) gave no credentials of role \(role): \(ErrorAnswer.printable(code).prefix(100))")
    }
    return try document.issued(token: "Token", source: "the instance's role \(role) (IMDSv2)")
  }

  private func get(_ path: String, _ token: String) -> HTTPRequest {
    HTTPRequest(method: .get, url: baseURL + path, headers: [("X-aws-ec2-metadata-token", token)])
  }

  /// Requests a text. Errors do not show bodies, which may be secrets.
  private func text(
    _ request: HTTPRequest, _ what: String, _ context: CredentialContext
  ) async throws(AWSError) -> String {
    var request = request
    request.timeout = Self.timeout
    let response: HTTPResponse
    do throws(TransferError) {
      response = try await context.transport.send(request)
    } catch {
      guard error.kind != .cancelled else { throw .cancelledWait }
      throw .configuration("\(place) gave no answer: \(error.message)")
    }
    guard response.status < 500, response.status != 429 else {
      throw AWSError(
        .server, message: "\(place) gave no \(what)", hint: "try again later: the instance's metadata service failed",
        httpStatus: response.status)
    }
    guard response.status == 200, let text = String(validating: response.body, as: UTF8.self), !text.isEmpty else {
      throw .configuration("\(place) gave no \(what): HTTP \(response.status)")
    }
    return text
  }

  /// Whether all characters may stand in an IAM role's name.
  private static func isRoleName(_ text: String) -> Bool {
    let isAllowed = { (byte: UInt8) in
      (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
        || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")) || "+=,.@-_".utf8.contains(byte)
    }
    return (1...128).contains(text.utf8.count) && text.utf8.allSatisfy(isAllowed)
  }
}
