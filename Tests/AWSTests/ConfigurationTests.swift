import Testing
@testable import AWS

@Suite struct ConfigurationTests {
  static let keys = ["AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "envsecret", "HOME": "/home/u"]
  static let files = [
    "/home/u/.aws/credentials": """
    # comment
    [default]
    aws_access_key_id = AKIADEFAULT
    aws_secret_access_key = a#b=c
    [dev]
    aws_access_key_id=AKIADEV
    aws_secret_access_key=devsecret
    aws_session_token=devtoken
    """,
    "/home/u/.aws/config": """
    [default]
    region = us-west-2
    s3 =
      endpoint_url = http://nested.example
    [profile dev]
    region = eu-north-1
    endpoint_url = http://127.0.0.1:4566/base
    ca_bundle = /ca.pem
    [profile sso]
    sso_session = corp
    region = eu-west-1
    not a setting
    """,
  ]

  static func resolve(
    _ flags: AWSConfiguration.Flags = .init(), _ environment: [String: String]
  ) throws -> AWSConfiguration {
    try AWSConfiguration.resolve(flags: flags, environment: environment) { files[$0] }
  }

  static func key(_ configuration: AWSConfiguration) async throws -> AWSCredentials {
    try await configuration.credentials.credentials(replacing: nil)
  }

  @Test(
    arguments: [
      (["REGION": "r1", "AWS_REGION": "r2", "AWS_DEFAULT_REGION": "r3"], "flag", "flag"),
      (["REGION": "r1", "AWS_REGION": "r2", "AWS_DEFAULT_REGION": "r3"], nil, "r1"),
      (["REGION": "", "AWS_REGION": "r2", "AWS_DEFAULT_REGION": "r3"], nil, "r2"),
      (["AWS_DEFAULT_REGION": "r3"], nil, "r3"), ([:], nil, "us-west-2"), (["AWS_PROFILE": "dev"], nil, "eu-north-1"),
    ] as [([String: String], String?, String)])
  func theStrongestRegionWins(environment: [String: String], flag: String?, expected: String) throws {
    let merged = environment.merging(ConfigurationTests.keys) { $1 }
    #expect(try ConfigurationTests.resolve(.init(region: flag), merged).region == expected)
  }

  @Test(
    arguments: [
      (
        ["AWS_ENDPOINT_URL_ECS": "http://b", "AWS_ENDPOINT_URL": "http://c", "AWS_PROFILE": "dev"], "http://a",
        "http://a/"
      ),
      (["AWS_ENDPOINT_URL_ECS": "http://b", "AWS_ENDPOINT_URL": "http://c", "AWS_PROFILE": "dev"], nil, "http://b/"),
      (["AWS_ENDPOINT_URL": "http://c", "AWS_PROFILE": "dev"], nil, "http://c/"),
      (["AWS_PROFILE": "dev"], nil, "http://127.0.0.1:4566/base"),
      ([:], nil, "https://ecs.us-west-2.amazonaws.com/"),
      (["REGION": "cn-north-1"], nil, "https://ecs.cn-north-1.amazonaws.com.cn/"),
      (["REGION": "us-east-1", "AWS_USE_FIPS_ENDPOINT": "true"], nil, "https://ecs-fips.us-east-1.amazonaws.com/"),
      (["REGION": "mars-north-9"], nil, "https://ecs.mars-north-9.amazonaws.com/"),
    ] as [([String: String], String?, String)])
  func theStrongestEndpointWins(environment: [String: String], flag: String?, expected: String) throws {
    let merged = environment.merging(ConfigurationTests.keys) { $1 }
    let configuration = try ConfigurationTests.resolve(.init(ecsEndpointURL: flag), merged)
    #expect(configuration.ecsEndpoint.url == expected)
  }

  @Test func anOverrideLeavesTheSigningRegionAlone() throws {
    let configuration = try ConfigurationTests.resolve(
      .init(region: "eu-west-1", ecsEndpointURL: "http://h:1"), ConfigurationTests.keys)
    #expect(configuration.region == "eu-west-1")
  }

  @Test func environmentKeysComeBeforeTheProfilesUnlessItIsAFlag() async throws {
    let environment = ConfigurationTests.keys.merging(["AWS_PROFILE": "dev"]) { $1 }
    #expect(try await ConfigurationTests.key(ConfigurationTests.resolve(.init(), environment)).accessKeyID == "AKIAENV")
    let flagged = try await ConfigurationTests.key(ConfigurationTests.resolve(.init(profile: "dev"), environment))
    #expect(flagged.accessKeyID == "AKIADEV")
    #expect(flagged.sessionToken == "devtoken")
    #expect(flagged.source.contains("'dev'"))
  }

  @Test func fileKeysMayHoldHashes() async throws {
    let key = try await ConfigurationTests.key(ConfigurationTests.resolve(.init(), ["HOME": "/home/u"]))
    #expect(key.accessKeyID == "AKIADEFAULT")
    #expect(key.secretAccessKey == "a#b=c")
  }

  @Test func givenKeysComeFirstOfAll() async throws {
    let configuration = try ConfigurationTests.resolve(
      .init(profile: "dev", credentials: testKey), ConfigurationTests.keys)
    #expect(try await ConfigurationTests.key(configuration) == testKey)
  }

  @Test func theCertificateBundleComesFromEnvironmentOrProfile() throws {
    let profile = try ConfigurationTests.resolve(.init(profile: "dev"), ["HOME": "/home/u"])
    #expect(profile.certificateBundle == "/ca.pem")
    let variable = try ConfigurationTests.resolve(
      .init(profile: "dev"), ["HOME": "/home/u", "AWS_CA_BUNDLE": "/b.pem"])
    #expect(variable.certificateBundle == "/b.pem")
  }

  @Test(
    arguments: [
      (AWSConfiguration.Flags(), ["HOME": "/nobody"], "AWS_DEFAULT_REGION"),
      (.init(region: "r"), ["HOME": "/nobody", "AWS_EC2_METADATA_DISABLED": "true"], "/nobody/.aws/credentials"),
      (
        .init(region: "r"),
        ["HOME": "/nobody", "AWS_SHARED_CREDENTIALS_FILE": "~/x", "AWS_EC2_METADATA_DISABLED": "true"], "/nobody/x"
      ),
      (.init(profile: "none", region: "r"), keys, "--profile"),
      (.init(region: "r"), keys.merging(["AWS_PROFILE": "none"]) { $1 }, "AWS_PROFILE"),
      (.init(profile: "sso"), ["HOME": "/home/u"], "export-credentials"),
      (.init(region: "r"), ["AWS_ACCESS_KEY_ID": "AKIAENV"], "AWS_SECRET_ACCESS_KEY"),
      (.init(region: "no region"), keys, "--region"), (.init(region: "evil.example/"), keys, "--region"),
      (.init(region: "r", ecsEndpointURL: "ftp://h"), keys, "--ecs-endpoint-url"),
      (.init(region: "r", ecsEndpointURL: "http://u:p@h"), keys, "--ecs-endpoint-url"),
      (.init(region: "r", ecsEndpointURL: "http://h:70000"), keys, "--ecs-endpoint-url"),
      (.init(region: "r", ecsEndpointURL: "http://h:99999999999999999999"), keys, "the port of --ecs-endpoint-url"),
      (.init(region: "r", ecsEndpointURL: "http://[::1]:99999999999999999/"), keys, "the port of --ecs-endpoint-url"),
      (.init(region: "r", ecsEndpointURL: "http://h%2f.example"), keys, "--ecs-endpoint-url"),
      (.init(region: "r", ecsEndpointURL: "http://h?x=1"), keys, "--ecs-endpoint-url"),
      (.init(region: "r", ecsEndpointURL: "h:5551"), keys, "--ecs-endpoint-url"),
    ] as [(AWSConfiguration.Flags, [String: String], String)])
  func wrongSettingsAreNamed(flags: AWSConfiguration.Flags, environment: [String: String], expected: String) async {
    let error = await awsError { _ = try ConfigurationTests.resolve(flags, environment) }
    #expect(error?.kind == .configuration)
    #expect(error?.description.contains(expected) == true, "\(String(describing: error))")
    #expect(error?.description.contains("u:p") == false)
  }

  @Test func everythingThatIsWrongIsFoundAtOnce() {
    let flags = AWSConfiguration.Flags(profile: "../x", region: "eu west", ecsEndpointURL: "ftp://h")
    let problems = AWSConfiguration.problems(
      flags: flags, environment: ["HOME": "/home/u", "AWS_ENDPOINT_URL_STS": "sts"], readFile: { Self.files[$0] })
    #expect(problems.map(\.source) == ["--profile", "--region", "--ecs-endpoint-url", "AWS_ENDPOINT_URL_STS"])
  }

  static let blamed: [(flags: AWSConfiguration.Flags, environment: [String: String], sources: [String])] = [
    (.init(), [:], []), (.init(profile: "dev"), [:], []), (.init(), ["AWS_PROFILE": "dev"], []),
    // Neither missing nor half-given credentials are looked at.
    (.init(profile: "sso"), [:], []), (.init(region: "r"), ["HOME": "/nobody", "AWS_ACCESS_KEY_ID": "AKIAENV"], []),
    (.init(), ["AWS_REGION": "EU"], ["AWS_REGION"]), (.init(), ["REGION": "a/b", "AWS_REGION": "r"], ["REGION"]),
    (.init(region: "r"), ["AWS_REGION": "EU"], []), (.init(region: ""), [:], ["--region"]),
    (.init(), ["HOME": "/nobody"], ["--region"]), (.init(), ["AWS_PROFILE": "none"], ["AWS_PROFILE", "--region"]),
    (.init(profile: "none"), ["AWS_PROFILE": "dev", "REGION": "r"], ["--profile"]),
    (.init(profile: ""), ["REGION": "r"], ["--profile"]),
    (.init(), ["AWS_ENDPOINT_URL": "x"], ["AWS_ENDPOINT_URL"]),
    (.init(ecsEndpointURL: "http://h"), ["AWS_ENDPOINT_URL_ECS": "x"], []),
    (.init(ecsEndpointURL: ""), [:], ["--ecs-endpoint-url"]),
    (.init(profile: "torn"), ["AWS_CONFIG_FILE": "/torn"], ["region of the profile", "endpoint_url of the profile"]),
    (.init(profile: "lost"), ["AWS_CONFIG_FILE": "/torn"], ["services of the profile"]),
  ]

  @Test(arguments: blamed)
  func aProblemNamesWhatIsToBeChanged(
    flags: AWSConfiguration.Flags, environment: [String: String], sources: [String]
  ) {
    let torn = """
      [profile torn]
      region = eu_west
      endpoint_url = h:1
      [profile lost]
      region = eu-west-1
      services = nowhere
      """
    let problems = AWSConfiguration.problems(flags: flags, environment: ["HOME": "/home/u"].merging(environment) { $1 })
    {
      $0 == "/torn" ? torn : Self.files[$0]
    }
    #expect(problems.map(\.source) == sources, "\(problems)")
  }

  @Test(arguments: [
    ("http://127.0.0.1:80", "127.0.0.1", "http://127.0.0.1/"), ("HTTPS://h:443/", "h", "https://h/"),
    ("http://[::1]:8080/x", "[::1]:8080", "http://[::1]:8080/x"), ("https://h:80", "h:80", "https://h:80/"),
  ])
  func endpointURLsAreWrittenInOneWay(text: String, host: String, url: String) throws {
    let endpoint = try ServiceEndpoint(parsing: text, source: "test")
    #expect(endpoint.hostHeader == host)
    #expect(endpoint.url == url)
  }

  @Test(arguments: [
    ("http://127.0.0.1:1/", true), ("http://127.9.9.9", true), ("http://localhost:1", true), ("http://[::1]:1/", true),
    ("http://169.254.169.254/", true), ("http://169.254.170.2/v2", true), ("http://[fe80::1]/", true),
    ("http://[fd00:ec2::254]/", true), ("https://ecs.eu-west-1.amazonaws.com/", false), ("http://10.0.0.1/", false),
    ("http://127.0.0.1.example.com/", false), ("http://169.253.0.1/", false), ("http://localhost.example/", false),
  ])
  func loopbackAndLinkLocalPassTheProxyBy(url: String, exempt: Bool) {
    #expect(ProxyExemption.applies(toURL: url) == exempt)
  }
}
