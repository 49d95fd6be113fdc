import Latency

/// Credentials of the task or pod that this process runs in, by HTTP.
///
/// Source: "Container credential provider", AWS SDKs and Tools Reference Guide.
struct ContainerEndpoint: Sendable, Equatable {
  /// The time-out of one try, equal to botocore's.
  static let timeout: Nanoseconds = .seconds(2)

  private static let relativeVariable = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
  private static let fullVariable = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
  private static let tokenVariable = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
  private static let tokenFileVariable = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"

  let url: String
  /// The file that each fetch reads the token from; `nil` where a variable holds the token or there is no token.
  private let tokenFile: String?

  /// The endpoint that the environment names; `nil` where it names no endpoint.
  ///
  /// - Throws: ``AWSError`` `configuration` for a URL that is not trusted with a token, and for an unreadable token
  ///   file.
  init?(environment: [String: String], files: SharedFiles) throws(AWSError) {
    if let path = environment[Self.relativeVariable] {
      guard path.hasPrefix("/"), Self.isPlain(path) else {
        throw .configuration("\(Self.relativeVariable) is no path", hint: "it begins with '/'")
      }
      url = "http://169.254.170.2\(path)"
    } else if let full = environment[Self.fullVariable] {
      guard Self.isTrustworthy(full) else {
        throw .configuration(
          "\(Self.fullVariable) is no URL that credentials may be asked of",
          hint: "only https, and http to this machine, 169.254.170.2, 169.254.170.23 and [fd00:ec2::23]")
      }
      url = full
    } else {
      return nil
    }
    tokenFile = environment[Self.tokenFileVariable]
    if let tokenFile, files.token(in: tokenFile) == nil { throw Self.unreadable(tokenFile) }
  }

  /// Why the environment names no endpoint, for the list of searched places.
  static let absence = "the container endpoint: neither \(relativeVariable) nor \(fullVariable) is set"

  /// The name of the credentials in error messages. It leaves the query out, which may hold an id that should stay
  /// private.
  var source: String { "the container endpoint \(url.prefix { $0 != "?" && $0 != "#" })" }

  func fetch(_ context: CredentialContext) async throws(AWSError) -> IssuedCredentials {
    var headers: [(name: String, value: String)] = [("Accept", "application/json")]
    let token = try authorization(context)
    if let token { headers.append(("Authorization", token)) }
    let redaction = Redaction(token.map { [$0] } ?? [])
    let request = HTTPRequest(
      method: .get, url: url, headers: headers, timeout: Self.timeout)
    var failures = 0
    while true {
      do throws(AWSError) {
        return try await attempt(request, redaction, context)
      } catch {
        failures += 1
        var error = error
        error.attempts = failures
        guard let delay = RetryPolicy.standard.delay(after: error, failures: failures, random: context.calls.random())
        else { throw error }
        do { try await context.calls.sleep(delay) } catch { throw .cancelledWait }
      }
    }
  }

  private func attempt(
    _ request: HTTPRequest, _ redaction: Redaction, _ context: CredentialContext
  ) async throws(AWSError) -> IssuedCredentials {
    let response: HTTPResponse
    do throws(TransferError) {
      response = try await context.transport.send(request)
    } catch {
      throw AWSError(.transfer, message: "it gave no answer: \(error.message)", transfer: error)
    }
    guard response.status == 200 else {
      let line = ErrorAnswer.firstLine(of: response.body, redaction)
      let isPassing = response.status >= 500 || response.status == 429
      throw AWSError(
        response.status >= 500 ? .server : response.status == 429 ? .throttled : .credentials,
        message: (isPassing ? "it failed" : "it refused") + (line.isEmpty ? "" : ": \(line)"),
        hint: isPassing
          ? "try again later, or see the log of the agent that answers there"
          : "check \(Self.tokenVariable) and \(Self.tokenFileVariable)",
        httpStatus: response.status)
    }
    return try CredentialDocument(response.body, from: source).issued(token: "Token", source: source)
  }

  private func authorization(_ context: CredentialContext) throws(AWSError) -> String? {
    guard let tokenFile else {
      guard let token = context.environment[Self.tokenVariable], !token.isEmpty else { return nil }
      guard !token.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
        throw .configuration("\(Self.tokenVariable) has a line break or another control character in it")
      }
      return token
    }
    guard let token = context.files.token(in: tokenFile) else { throw Self.unreadable(tokenFile) }
    return token
  }

  private static func unreadable(_ path: String) -> AWSError {
    .configuration("\(tokenFileVariable) names '\(ErrorAnswer.printable(path))', which has no token or cannot be read")
  }

  /// Whether the text is printable ASCII without characters that URL parsers understand differently.
  private static func isPlain(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"\\\"<>^`{|}".utf8.contains($0) }
  }

  /// Whether credentials may be asked of `url`: https to any host, http only to this machine and to the addresses of
  /// AWS's agents.
  static func isTrustworthy(_ url: String) -> Bool {
    guard isPlain(url), let separator = url.firstRange(of: "://") else { return false }
    let scheme = url[..<separator.lowerBound].lowercased()
    let authority = url[separator.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard scheme == "http" || scheme == "https", let host = host(of: authority) else { return false }
    let agents = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23", "::1", "localhost"]
    return scheme == "https" || agents.contains(host) || isLoopback(host)
  }

  /// The host of `host[:port]`, without brackets, in lower case; `nil` for any other text, above all one with user
  /// information.
  private static func host(of authority: Substring) -> String? {
    let isBracketed = authority.hasPrefix("[")
    let host = isBracketed ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" }
    let rest = authority.dropFirst(host.count + (isBracketed ? 2 : 0))
    let isPort = rest.isEmpty || (rest.first == ":" && UInt16(rest.dropFirst()).map { $0 > 0 } == true)
    let allowed = isBracketed ? "0123456789abcdef:." : "abcdefghijklmnopqrstuvwxyz0123456789.-_"
    let name = host.lowercased()
    guard isPort, !name.isEmpty, name.allSatisfy({ allowed.contains($0) }) else { return nil }
    guard !isBracketed || authority.dropFirst(1 + host.count).hasPrefix("]") else { return nil }
    return name
  }

  private static func isLoopback(_ host: String) -> Bool {
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil && !$0.hasPrefix("+") }
  }
}
