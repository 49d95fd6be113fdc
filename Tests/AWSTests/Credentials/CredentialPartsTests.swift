import AWSTestSupport
import Synchronization
import TestSupport
import Testing
@testable import AWS

/// Programs, container endpoints and instances, one by one.
@Suite struct CredentialPartsTests {
  @Test(
    arguments: [
      ("2026-02-02T02:40:00Z", 1_770_000_000), ("2026-02-02t02:40:00z", 1_770_000_000),
      ("2026-02-02 02:40:00Z", 1_770_000_000), ("2026-02-02T02:40:00.999Z", 1_770_000_000),
      ("2026-02-02T04:40:00+02:00", 1_770_000_000), ("2026-02-01T21:10:00-0530", 1_770_000_000),
      ("2026-02-02T02:40:00.000000+00:00", 1_770_000_000), ("1970-01-01T00:00:00Z", 0), ("2026-02-30T02:40:00Z", nil),
      ("2026-02-02T02:40:00", 1_770_000_000), ("2026-02-02T02:40Z", 1_770_000_000), ("2026-02-02T02:40:00.Z", nil),
      ("2026-02-02T04:40:00+2", 1_770_000_000), ("2026-02-02T02:40:00Zx", nil), ("1770000000", nil), ("", nil),
      ("   ", nil), (" 2026-02-02T02:40:00Z ", 1_770_000_000), ("2026-02-02T02:40:00+", nil),
      ("2026-02-02T02:40:00UTC", 1_770_000_000), ("2026-02-02T02:40:00 GMT", 1_770_000_000),
      ("20260202T024000Z", 1_770_000_000), ("20260202T0240", 1_770_000_000), ("2026-0202T02:40:00Z", nil),
      ("Mon, 02 Feb 2026 02:40:00 GMT", 1_770_000_000), ("2 feb 2026 03:40:00 +0100", 1_770_000_000),
      ("Mon 02 Feb 2026 02:40:00 GMT", nil), ("Mon, 32 Feb 2026 02:40:00 GMT", nil),
      ("Mon, 02 Foo 2026 02:40:00 GMT", nil),
      ("2026-02-02T02:40:00+-1", nil), ("2026-02-02T02:40:00+01:", nil), ("2026-02-02T02:40:00 +0100 CET", nil),
      ("2026-02-02T02:40:00,999UTC", 1_770_000_000), ("2026-02-02T02:40:60Z", nil), ("2026-02-02", nil),
      ("Tomorrow at noon, please", nil),
      ("2026-02-02T02:40:00+25:00", nil), ("٢٠٢٦-02-02T02:40:00Z", nil),
    ] as [(String, Int64?)])
  func timestampsAreRead(text: String, seconds: Int64?) { #expect(Timestamp.epochSeconds(text) == seconds) }

  // MARK: - Programs

  private static func process(_ command: String, script: String) async throws -> AWSCredentials {
    var home = try CredentialHome(["MARK": "from the environment"])
    let path = try home.directory.write("my script", script)
    try home.directory.write(
      ".aws/config", "[profile p]\ncredential_process = \(command.replacing("SCRIPT", with: path))")
    home.flags.profile = "p"
    return try await home.credentials()
  }

  @Test func wordsAreSplitWithoutAShell() async throws {
    let script = #"test "$#" = 3 -a "$1" = 'a b' -a "$2" = '$HOME;*' -a "$3" = '' && echo '"# + document + "'"
    let key = try await CredentialPartsTests.process(#"/bin/sh "SCRIPT" a\ b '$HOME;*' """#, script: script)
    #expect(key.accessKeyID == "ASIAX")
    #expect(key.sessionToken == "s3cr3t-token")
  }

  @Test func aProgramInheritsTheEnvironmentAndHasNoInput() async throws {
    let script = #"test "$MARK" = 'from the environment' && test -z "$(cat)" && echo '"# + document + "'"
    #expect(try await CredentialPartsTests.process("sh 'SCRIPT'", script: script).accessKeyID == "ASIAX")
  }

  @Test func aProgramMayComplainMuchAndLeaveAnotherBehind() async throws {
    // The one left behind keeps both pipes open: nobody waits for it.
    let script = "head -c 300000 /dev/zero | tr '\\0' x >&2\nsleep 20 & echo '" + document + "'"
    #expect(try await CredentialPartsTests.process("/bin/sh 'SCRIPT'", script: script).accessKeyID == "ASIAX")
  }

  @Test(.timeLimit(.minutes(1))) func aProgramEndsWithTheTaskThatWaitsAndItsOwnProgramsToo() async throws {
    let home = try CredentialHome()
    let script = try home.directory.write("script", "sleep 60 &\necho $! > '\(home.directory.path)/pid'; wait")
    try home.directory.write(".aws/config", "[default]\ncredential_process = /bin/sh \(script)")
    let credentials = try home.configuration().credentials
    let task = Task { try await credentials.credentials(replacing: nil) }
    var pid: Int32?
    while pid == nil {
      await Task.yield()
      pid = AWSConfiguration.readText(ofFile: home.directory.path + "/pid")
        .flatMap { Int32($0.filter(\.isNumber)) }
    }
    task.cancel()
    let error = await awsError { _ = try await task.value }
    #expect(error?.transfer?.kind == .cancelled)
    // Gone, or waiting for whoever reaps orphans here.
    while AWSConfiguration.readText(ofFile: "/proc/\(pid ?? 0)/stat")?.contains(") Z ") == false { await Task.yield() }
  }

  private static let document = Place.processDocument("ASIAX")
  private let document = CredentialPartsTests.document

  // MARK: - Container

  @Test(arguments: [
    ("https://example.com/x", true), ("http://127.0.0.1:51679/x", true), ("http://127.9.8.7/", true),
    ("http://localhost:1/x?id=1", true), ("http://LOCALHOST/", true), ("http://[::1]:9/x", true),
    ("http://169.254.170.2/x", true), ("http://169.254.170.23/v1/credentials", true),
    ("http://[fd00:ec2::23]/v1/credentials", true), ("HTTP://169.254.170.2/x", true),
    ("http://169.254.169.254/", false),
    ("http://169.254.170.24/", false), ("http://[fd00:ec2::254]/", false), ("http://10.0.0.1/", false),
    ("http://example.com/", false), ("http://169.254.170.2@example.com/", false),
    ("https://user:pw@example.com/", false), ("http://127.0.0.1\\@example.com/", false),
    ("http://127.0.0.1.example.com/", false), ("http://127.1/", false), ("http://2130706433/", false),
    ("http://0x7f.0.0.1/", false), ("http://127.0.0.256/", false), ("http://127.+1.0.1/", false),
    ("http://[::1/", false), ("http://[::1]x/", false), ("http://127.0.0.1:99999/", false),
    ("http://127.0.0.1:/", false), ("http:///x", false), ("https://", false), ("ftp://127.0.0.1/", false),
    ("127.0.0.1/x", false), ("http://127.0.0.1/a b", false), ("http://127.0.0.1/\r\nX: y", false),
    ("http://localhost.example/", false), ("http://a.localhost/", false),
  ])
  func credentialsAreAskedOnlyOfHostsOfTrust(url: String, isTrusted: Bool) {
    #expect(ContainerEndpoint.isTrustworthy(url) == isTrusted)
  }

  @Test func aRelativePathIsTheAgentsAndComesFirst() throws {
    let environment = [
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials?id=1",
      "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/x",
    ]
    let files = SharedFiles(environment: [:]) { _ in nil }
    let endpoint = try ContainerEndpoint(environment: environment, files: files)
    #expect(endpoint?.url == "http://169.254.170.2/v2/credentials?id=1")
    #expect(endpoint?.source == "the container endpoint http://169.254.170.2/v2/credentials")
  }

  @Test func theTokenFileIsReadEachTimeAndComesBeforeTheVariable() async throws {
    try await CredentialServer.run { server in
      var home = try Place.home([.container], server)
      home.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "variable"
      let plain = try home.configuration().credentials
      _ = try await plain.credentials(replacing: nil)
      home.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = try home.directory.write("token", "first\n")
      let provider = try home.configuration().credentials
      let first = try await provider.credentials(replacing: nil)
      try home.directory.write("token", "Bearer second")
      _ = try await provider.credentials(replacing: first)
      #expect(server.requests.map { $0.header("authorization") } == ["variable", "first", "Bearer second"])
    }
  }

  @Test func anUnavailableContainerEndpointIsAskedThreeTimes() async throws {
    try await CredentialServer.run { server in
      var home = try CredentialHome()
      home.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = server.url + "/unavailable"
      let error = await awsError { _ = try await home.credentials() }
      #expect(error?.kind == .credentials)
      #expect(server.requests.count == 3)
    }
  }

  // MARK: - Instance

  @Test func anInstanceIsAskedWithItsSessionToken() async throws {
    try await CredentialServer.run { server in
      let key = try await Place.home([.instance], server).credentials()
      #expect(key.accessKeyID == "ASIAINSTANCE")
      #expect(
        server.requests.map { "\($0.method) \($0.path)" } == [
          "PUT /latest/api/token", "GET /latest/meta-data/iam/security-credentials/",
          "GET /latest/meta-data/iam/security-credentials/web",
        ])
    }
  }

  @Test func aSilentInstanceIsAskedOnceForAboutASecond() async throws {
    try await CredentialServer.run { server in
      var home = try Place.home([.instance], server)
      home.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = server.url + "/silent"
      let clock = ContinuousClock()
      let start = clock.now
      let error = await awsError { _ = try await home.credentials() }
      let elapsed = start.duration(to: clock.now)
      #expect(error?.kind == .configuration)
      #expect(server.requests.count == 1)
      #expect(elapsed >= .milliseconds(900) && elapsed < .seconds(20), "\(elapsed)")
    }
  }

  @Test(
    arguments: [
      ([:], "http://169.254.169.254"), (["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"], "http://[fd00:ec2::254]"),
      (["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1/x/"], "http://127.0.0.1:1/x"),
      (["AWS_EC2_METADATA_DISABLED": "TRUE"], nil), (["AWS_EC2_METADATA_DISABLED": "false"], "http://169.254.169.254"),
    ] as [([String: String], String?)])
  func theInstancesServiceIsWhereTheEnvironmentSays(environment: [String: String], url: String?) throws {
    #expect(try InstanceMetadata(environment: environment, profile: nil)?.baseURL == url)
  }
}
