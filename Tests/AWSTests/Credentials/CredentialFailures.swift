import Latency
import TestSupport
import Testing

@testable import AWS

/// Everything that can be wrong with credentials, and what is said about it. Whatever is secret has `s3cr3t` in it.
struct CredentialFailure: Sendable, CustomTestStringConvertible {
  var name: String
  var config = ""
  var credentials = ""
  /// `SERVER` stands for the server's URL, `HOME` for the home.
  var environment: [String: String] = [:]
  var profile: String?
  /// Files in the home.
  var files: [String: String] = [:]
  /// Whether it is known without asking anybody.
  var isKnownAtOnce = true
  var kind = AWSError.Kind.configuration
  /// In ms.
  var processTimeout: Nanoseconds = .seconds(60)
  /// All of them must be said.
  var says: [String]

  var testDescription: String { name }
}

extension CredentialFailure {
  static let all: [CredentialFailure] =
    environment + profiles + roles + processes + containers + instances + tokenService

  private static let keys = "aws_access_key_id = AKIAFILE\naws_secret_access_key = s3cr3t\n"
  private static let sourceEnvironment = [
    "AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "s3cr3t", "AWS_SESSION_TOKEN": "s3cr3t-token-of-env",
    "AWS_ENDPOINT_URL_STS": "SERVER",
  ]

  private static let environment: [CredentialFailure] = [
    .init(
      name: "nothing anywhere",
      says: [
        "no AWS credentials were found", "(1) the environment: AWS_ACCESS_KEY_ID",
        "(2) web identity: AWS_WEB", "(3) the shared files: there is no profile 'default' in HOME/.aws/config",
        "(4) the container endpoint: neither AWS_CONTAINER", "(5) the instance's metadata (IMDSv2): AWS_EC2",
        "--profile",
      ]),
    .init(
      name: "a profile without credentials", config: "[profile p]\nregion = r", profile: "p",
      says: ["(1) the environment: --profile", "(3) the shared files: profile 'p' has no aws_access_key_id"]),
    .init(
      name: "key without secret", environment: ["AWS_ACCESS_KEY_ID": "AKIAENV"],
      says: ["AWS_SECRET_ACCESS_KEY is not", "both or neither"]),
    .init(
      name: "secret without key", environment: ["AWS_SECRET_ACCESS_KEY": "s3cr3t"],
      says: ["AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not", "both or neither"]),
    .init(
      name: "a profile with a line break", environment: ["AWS_PROFILE": "default\n"],
      says: ["check AWS_PROFILE, which has a line break in it"]),
    .init(
      name: "no such AWS_DEFAULT_PROFILE", environment: ["AWS_DEFAULT_PROFILE": "none"],
      says: ["no profile 'none'", "check AWS_DEFAULT_PROFILE"]),
    .init(
      name: "token file without role", environment: ["AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/token"],
      files: ["token": "s3cr3t"], says: ["AWS_ROLE_ARN is not"]),
    .init(
      name: "no token file", environment: ["AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/none", "AWS_ROLE_ARN": "arn"],
      says: ["HOME/none", "cannot be read", "AWS_WEB_IDENTITY_TOKEN_FILE"]),
    .init(
      name: "an empty token file", environment: ["AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/token", "AWS_ROLE_ARN": "arn"],
      files: ["token": "\n \n"], says: ["no token"]),
  ]

  private static let profiles: [CredentialFailure] = [
    .init(name: "no such profile", profile: "none", says: ["no profile 'none'", "--profile"]),
    .init(name: "no such AWS_PROFILE", environment: ["AWS_PROFILE": "none"], says: ["'none'", "AWS_PROFILE"]),
    .init(
      name: "a profile's key without secret", credentials: "[default]\naws_access_key_id = AKIAFILE",
      says: ["profile 'default' in HOME/.aws/credentials", "has aws_access_key_id, but no aws_secret_access_key"]),
    .init(
      name: "a profile's secret without key", config: "[default]\naws_secret_access_key = s3cr3t",
      says: ["in HOME/.aws/config has aws_secret_access_key, but no aws_access_key_id"]),
    .init(
      name: "a key with a line break",
      environment: ["AWS_ACCESS_KEY_ID": "AKIAENV\n", "AWS_SECRET_ACCESS_KEY": "s3cr3t"],
      says: ["AWS_ACCESS_KEY_ID has a line break at its end"]),
    .init(
      name: "a secret with a carriage return",
      environment: ["AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "s3cr3t\r"],
      says: ["AWS_SECRET_ACCESS_KEY has a line break at its end"]),
    .init(
      name: "a token with a line break",
      environment: [
        "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s3cr3t", "AWS_SECURITY_TOKEN": "s3cr3t\ns3cr3t",
      ],
      says: ["AWS_SECURITY_TOKEN has a line break in it"]),
    .init(
      name: "an end that is none",
      environment: [
        "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s3cr3t", "AWS_CREDENTIAL_EXPIRATION": "s3cr3t",
      ],
      says: ["AWS_CREDENTIAL_EXPIRATION is no ISO 8601"]),
    .init(
      name: "a profile's secret that goes on",
      credentials: "[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = s3cr3t\n  s3cr3t",
      says: ["aws_secret_access_key of profile 'default' in HOME/.aws/credentials has a line break in it", "indented"]),
    .init(
      name: "halves in different files", config: "[default]\naws_secret_access_key = s3cr3t",
      credentials: "[default]\naws_access_key_id = AKIAFILE", says: ["same file"]),
    .init(
      name: "SSO", config: "[profile p]\nsso_session = corp\nsso_role_name = r", profile: "p",
      says: [
        "aws sso login --profile p", "the section [profile p] of HOME/.aws/config",
        "'credential_process = aws configure export-credentials --profile p --format process'",
      ]),
    .init(
      name: "old SSO", config: "[default]\nsso_start_url = https://x", says: ["export-credentials --profile default"]),
    .init(
      name: "aws login", config: "[default]\nlogin_session = arn",
      says: ["'aws login --profile default'", "export-credentials", "the section [default] of"]),
    .init(
      name: "SSO of a name with blanks", config: "[profile 'a b']\nsso_account_id = 1", profile: "a b",
      says: [#"--profile "a b" --format process"#, #"[profile "a b"]"#]),
    .init(
      name: "no services section", config: "[default]\nservices = mine\n" + keys,
      says: ["services section 'mine'", "[services mine]"]),
    .init(
      name: "a services section's URL",
      config: "[default]\nservices = mine\n[services mine]\necs =\n  endpoint_url = x",
      says: ["endpoint_url of the profile's service 'ecs'"]),
  ]

  private static func role(_ settings: String) -> String { "[profile p]\nrole_arn = arn:r\n\(settings)\n" }

  private static let roles: [CredentialFailure] = [
    .init(name: "a role by nobody", config: role(""), profile: "p", says: ["add source_profile or credential_source"]),
    .init(
      name: "a role by two", config: role("source_profile = a\ncredential_source = Environment"), profile: "p",
      says: ["both source_profile and credential_source"]),
    .init(
      name: "MFA", config: role("source_profile = p\nmfa_serial = arn:mfa\n" + keys), profile: "p",
      says: ["mfa_serial", "aws configure export-credentials --profile p --format env"]),
    .init(
      name: "no such source", config: role("source_profile = none"), profile: "p",
      says: ["profile 'p' has source_profile 'none', which does not exist", "HOME/.aws/config"]),
    .init(
      name: "a source without credentials", config: role("source_profile = b") + "[profile b]\nregion = r",
      profile: "p",
      says: ["'b', which has no credentials"]),
    .init(
      name: "a source that needs SSO", config: role("source_profile = b") + "[profile b]\nsso_session = s",
      profile: "p",
      says: ["profile 'b', the source_profile of 'p', needs a sign-in", "the section [profile b] of"]),
    .init(name: "a role of its own", config: role("source_profile = p"), profile: "p", says: ["circle: p → p"]),
    .init(
      name: "a circle",
      config: role("source_profile = q") + "[profile q]\nrole_arn = a\nsource_profile = s\n"
        + "[profile s]\nrole_arn = a\nsource_profile = q", profile: "p", says: ["circle: p → q → s → q"]),
    .init(
      name: "duration", config: role("source_profile = p\nduration_seconds = 1h\n" + keys), profile: "p",
      says: ["duration_seconds", "900–43200"]),
    .init(
      name: "unknown credential_source", config: role("credential_source = Magic"), profile: "p",
      says: ["'Magic'", "Environment, Ec2InstanceMetadata or EcsContainer"]),
    .init(
      name: "credential_source without keys", config: role("credential_source = Environment"), profile: "p",
      says: ["gives nothing: AWS_ACCESS_KEY_ID"]),
    .init(
      name: "credential_source without container", config: role("credential_source = EcsContainer"), profile: "p",
      says: ["gives nothing: the container endpoint"]),
    .init(
      name: "credential_source without instance", config: role("credential_source = Ec2InstanceMetadata"),
      profile: "p", says: ["gives nothing: the instance's metadata"]),
    .init(
      name: "web identity without role", config: "[profile p]\nweb_identity_token_file = HOME/t", profile: "p",
      says: ["profile 'p' has web_identity_token_file, but no role_arn"]),
  ]

  private static func process(
    _ name: String, _ script: String, _ says: [String]
  ) -> CredentialFailure {
    .init(
      name: name, config: "[profile p]\ncredential_process = /bin/sh HOME/script s3cr3t-argument", profile: "p",
      files: ["script": script], isKnownAtOnce: false, says: ["profile 'p' (credential_process) in HOME"] + says)
  }

  private static func command(_ name: String, _ command: String, _ says: String) -> CredentialFailure {
    .init(name: name, config: "[profile p]\ncredential_process = \(command)", profile: "p", says: [says])
  }

  private static let processes: [CredentialFailure] = [
    command("open quote", "helper 's3cr3t", "a quote in the command is not closed"),
    command("backslash at the end", "helper s3cr3t\\", "ends with a backslash"),
    command("a variable", "TOKEN=s3cr3t helper", "begins with a variable"),
    .init(
      name: "no such program", config: "[profile p]\ncredential_process = /no/such --token s3cr3t", profile: "p",
      isKnownAtOnce: false, says: ["cannot start '/no/such'", "no such program"]),
    process(
      "a program fails", "echo s3cr3t; echo 'sign in first' >&2; echo second >&2; exit 3",
      ["exit code 3: sign in first"]),
    process("a program is killed", "kill -9 $$", ["signal 9"]),
    process(
      "a program fails and repeats itself",
      "echo '{\"SecretAccessKey\":\"s3cr3t-AB\"}'; echo 'made s3cr3t-AB' >&2; exit 1", ["made [redacted]"]),
    process("no output", "true", ["gave no JSON object"]), process("no JSON", "echo s3cr3t", ["gave no JSON object"]),
    process("a list", "echo '[\"s3cr3t\"]'", ["gave no JSON object"]),
    process("no version", "echo '{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s3cr3t\"}'", ["'Version' 1"]),
    process("version 2", "echo '{\"Version\":2,\"SecretAccessKey\":\"s3cr3t\"}'", ["'Version' 1"]),
    process("no key", "echo '{\"Version\":1,\"SecretAccessKey\":\"s3cr3t\"}'", ["gave no 'AccessKeyId'"]),
    process("no secret", "echo '{\"Version\":1,\"AccessKeyId\":\"A\"}'", ["gave no 'SecretAccessKey'"]),
    process(
      "a wrong end",
      "echo '{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s3cr3t\",\"Expiration\":\"s3cr3t\"}'",
      ["'Expiration' that is no ISO 8601 or RFC 1123 time"]),
    process(
      "an end that is a number",
      "echo '{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s3cr3t\",\"Expiration\":17}'",
      ["'Expiration' that is no ISO 8601 or RFC 1123 time"]),
    process("too much", "while :; do echo s3cr3ts3cr3ts3cr3ts3cr3t; done", ["more than 65536 bytes"]),
    .init(
      name: "a program takes too long", config: "[default]\ncredential_process = sleep 100", isKnownAtOnce: false,
      processTimeout: .milliseconds(300), says: ["'sleep' did not end within 300 ms"]),
  ]

  private static func container(
    _ path: String, isKnownAtOnce: Bool = false, kind: AWSError.Kind = .configuration, _ says: [String]
  ) -> CredentialFailure {
    .init(
      name: "container \(path)",
      environment: [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "SERVER/\(path)?id=s3cr3t-id",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "s3cr3t-authorization",
      ],
      isKnownAtOnce: isKnownAtOnce, kind: kind, says: ["the container endpoint SERVER/\(path)"] + says)
  }

  private static let containers: [CredentialFailure] = [
    container(
      "refused", kind: .credentials, ["refused: no: '[redacted]'", "HTTP 403", "AWS_CONTAINER_AUTHORIZATION_TOKEN"]),
    container("unavailable", kind: .credentials, ["it failed: later (HTTP 503, 3 tries)", "try again later"]),
    container("busy", kind: .credentials, ["it failed (HTTP 429, 3 tries)"]),
    container("silent", kind: .credentials, ["no answer", "3 tries"]),
    container("html", ["no JSON object"]), container("cut", ["no JSON object"]),
    container("nested", ["no JSON object"]), container("keyless", ["no 'AccessKeyId'"]),
    container("secretless", ["no 'SecretAccessKey'"]), container("tokenless", ["'Token' that is no text"]),
    container("endless", ["'Expiration'"]),
    .init(
      name: "container token with a line break",
      environment: [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "SERVER/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "s3cr3t\r\n",
      ], isKnownAtOnce: false, says: ["AWS_CONTAINER_AUTHORIZATION_TOKEN has a line break"]),
    .init(
      name: "container by foreign http",
      environment: ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/s3cr3t"],
      says: ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "only https", "169.254.170.23"]),
    .init(
      name: "container path", environment: ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "@example.com/s3cr3t"],
      says: ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is no path"]),
    .init(
      name: "container token file",
      environment: [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "SERVER/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "HOME/none",
      ], says: ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names 'HOME/none'"]),
  ]

  private static func instance(_ path: String, _ says: String) -> CredentialFailure {
    .init(
      name: "instance \(path)",
      environment: ["AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "SERVER/\(path)"],
      isKnownAtOnce: false,
      says: ["no AWS credentials were found", "(5) the instance's metadata (IMDSv2) at SERVER/\(path)", says])
  }

  private static let instances: [CredentialFailure] = [
    instance("forbidden", "HTTP 403"), instance("silent", "gave no answer"), instance("roleless", "no role: HTTP 404"),
    instance("evilrole", "names no role"), instance("untrusted", "role web: AssumeRoleUnauthorizedAccess"),
    instance("endlesstoken", "no session token"), instance("brokentoken", "no session token"),
    .init(
      name: "instance unavailable",
      environment: ["AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "SERVER/unavailable"],
      isKnownAtOnce: false, kind: .credentials,
      says: ["the instance's metadata (IMDSv2) at SERVER/unavailable gave no session token (HTTP 503)", "try again"]),
    .init(
      name: "instance nowhere",
      environment: ["AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"],
      isKnownAtOnce: false, says: ["(5)", "gave no answer"]),
    .init(
      name: "instance URL",
      environment: ["AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "ftp://x"],
      says: ["AWS_EC2_METADATA_SERVICE_ENDPOINT"]),
  ]

  private static func sts(_ role: String, _ says: [String]) -> CredentialFailure {
    .init(
      name: "STS \(role)",
      config: "[profile p]\nrole_arn = arn:aws:iam::1:role/\(role)\ncredential_source = Environment\n"
        + "external_id = s3cr3t-external", environment: sourceEnvironment, profile: "p", isKnownAtOnce: false,
      kind: .credentials,
      says: [
        "no credentials of role arn:aws:iam::1:role/\(role) by way of the environment (AWS_ACCESS_KEY_ID): ",
        "sts:AssumeRole",
      ] + says)
  }

  private static func web(_ role: String, _ says: [String]) -> CredentialFailure {
    .init(
      name: "web identity \(role)",
      environment: [
        "AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/token", "AWS_ROLE_ARN": "arn:aws:iam::1:role/\(role)",
        "AWS_ENDPOINT_URL_STS": "SERVER",
      ], files: ["token": "s3cr3t-web/token"], isKnownAtOnce: false, kind: .credentials,
      says: ["no credentials of role arn:aws:iam::1:role/\(role) by way of the web identity token in HOME/token: "]
        + says)
  }

  private static let tokenService: [CredentialFailure] = [
    sts("denied", ["allow the action sts:AssumeRole to the key …ENV from the environment", "req-9"]),
    sts("stale", ["the environment (AWS_ACCESS_KEY_ID), which cannot be renewed", "start again"]),
    sts("echo", ["ValidationError", "[redacted]"]),
    sts("broken", ["at SERVER/: the service answered HTTP 503 without a word", "3 tries", "AWS_ENDPOINT_URL_STS"]),
    sts("failing", ["at SERVER/: InternalFailure: oh", "HTTP 500, request id req-9, 3 tries"]),
    sts("busy", ["at SERVER/: Throttling: Rate exceeded", "3 tries", "try again later"]),
    web("failing", ["sts:AssumeRoleWithWebIdentity at SERVER/: InternalFailure: oh", "3 tries"]),
    sts("html", ["sts:AssumeRole", "AWS_ENDPOINT_URL_STS"]),
    sts("cut", ["sts:AssumeRole"]), sts("empty", ["0 bytes"]),
    web("denied", ["trust policy of arn:aws:iam::1:role/denied"]),
    web("stale", ["HOME/token has expired", "[redacted]"]),
    web("echo", ["[redacted]"]), web("html", ["AssumeRoleWithWebIdentity"]),
  ]
}
