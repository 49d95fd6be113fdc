import TestSupport
import Testing
@testable import AWS

/// A temporary home with shared AWS files, and an environment that points nowhere else.
struct CredentialHome {
  let directory: ScratchDirectory
  var environment: [String: String]
  var flags = AWSConfiguration.Flags(region: "eu-west-1")

  init(config: String = "", credentials: String = "", _ environment: [String: String] = [:]) throws {
    directory = try ScratchDirectory()
    try directory.write(".aws/config", config)
    try directory.write(".aws/credentials", credentials)
    self.environment = ["HOME": directory.path, "AWS_EC2_METADATA_DISABLED": "true", "PATH": "/usr/bin:/bin"]
      .merging(environment) { $1 }
  }

  func configuration(
    _ manual: ManualEnvironment = ManualEnvironment(), transport: (any HTTPTransport)? = nil
  ) throws -> AWSConfiguration {
    try AWSConfiguration.resolve(
      flags: flags, environment: environment,
      // Keeps the home as long as somebody may read in it.
      readFile: { [directory] path in withExtendedLifetime(directory) { AWSConfiguration.readText(ofFile: path) } },
      calls: manual.environment(), transport: transport)
  }

  /// The credentials a first call would get.
  func credentials(transport: (any HTTPTransport)? = nil) async throws -> AWSCredentials {
    defer { withExtendedLifetime(directory) {} }
    return try await configuration(transport: transport).credentials.credentials(replacing: nil)
  }
}

/// Places credentials come from, the strongest first, each with a key id of its own.
enum Place: String, CaseIterable, CustomTestStringConvertible {
  case environment, role, webIdentity, profileWebIdentity, keys, process, container, instance

  var testDescription: String { rawValue }
  var key: String { "ASIA\(rawValue.uppercased())" }

  /// Whether it is the shared files' profile: two of these do not go together.
  var isProfile: Bool { [.keys, .process, .role, .profileWebIdentity].contains(self) }
  /// Whether `--profile` passes it over.
  var isPassedOver: Bool { self == .environment || self == .webIdentity }

  /// Home with these places and no others.
  static func home(_ places: [Place], _ server: CredentialServer) throws -> CredentialHome {
    var home = try CredentialHome()
    var config = "[default]\n"
    for place in places {
      let tokenFile = try home.directory.write("token-\(place.rawValue)", "s3cr3t-web\n")
      switch place {
      case .environment:
        home.environment["AWS_ACCESS_KEY_ID"] = place.key
        home.environment["AWS_SECRET_ACCESS_KEY"] = "s3cr3t"
      case .keys:
        try home.directory.write(
          ".aws/credentials", "[default]\naws_access_key_id = \(place.key)\naws_secret_access_key = s3cr3t")
      case .process:
        let script = try home.directory.write("script", "echo '\(processDocument(place.key))'")
        config += "credential_process = /bin/sh \"\(script)\"\n"
      case .role:
        config += "role_arn = arn:aws:iam::1:role/role\nsource_profile = base\n"
      case .profileWebIdentity:
        config += "role_arn = arn:aws:iam::1:role/profileWebIdentity\nweb_identity_token_file = \(tokenFile)\n"
      case .webIdentity:
        home.environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = tokenFile
        home.environment["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/webIdentity"
      case .container: home.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = server.url + "/container"
      case .instance:
        home.environment["AWS_EC2_METADATA_DISABLED"] = nil
        home.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = server.url
      }
    }
    home.environment["AWS_ENDPOINT_URL_STS"] = server.url
    config += "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s3cr3t\n"
    try home.directory.write(".aws/config", config)
    return home
  }

  static func processDocument(_ key: String) -> String {
    CredentialServer.document(key, token: "SessionToken").replacing("\"Code\":\"Success\"", with: "\"Version\":1")
  }
}
