import AWSTestSupport
import TestSupport
import Testing
@testable import AWS

@Suite struct STSTests {
  static let answer = CredentialServer.answer("AssumeRole", "x")

  private static func issued(_ body: [UInt8]) -> Result<IssuedCredentials, any Error> {
    Result { try RoleAnswer.issued(body, operation: "AssumeRole", source: "s") }
  }

  @Test func anAnswerIsReadWithItsReferences() throws {
    let issued = try STSTests.issued(Array(STSTests.answer.utf8)).get()
    #expect(issued.credentials.accessKeyID == "ASIAX")
    #expect(issued.credentials.secretAccessKey == "s3cr3t/&+")
    #expect(issued.credentials.sessionToken == "s3cr3t-session==")
    #expect(issued.expiration == 1_770_003_600)
  }

  @Test(arguments: [
    ("<a><b>x</b></a>", ["b": "x"]),
    ("\u{feff}<?xml version='1.0'?>\n<!-- c --><a b='<' c=\"/>\"><b/></a>\n", ["b": ""]),
    ("<a><b>&lt;&gt;&amp;&quot;&apos;&#65;&#x42;</b></a>", ["b": "<>&\"'AB"]),
    ("<a><b>1<!-- 2 -->3<![CDATA[<&]]></b></a>", ["b": "13<&"]),
    ("<a>mixed<b><c>1</c></b><d>2</d ></a>", ["b/c": "1", "d": "2"]), ("<n:a><n:b>é</n:b></n:a>", ["n:b": "é"]),
  ])
  func wellFormedDocumentsAreRead(text: String, texts: [String: String]) throws {
    let document = try XMLElement(parsing: Array(text.utf8))
    for (path, text) in texts { #expect(document.text(at: path) == text) }
  }

  @Test func aListKeepsItsMembersInTheirOrder() throws {
    let document = try XMLElement(
      parsing: Array(
        """
        <DescribeResponse xmlns="https://x"><DescribeResult>
          <Groups>
            <member><Name>one</Name><Tags><member>a</member><member>b</member></Tags></member>
            <member><Name>two</Name><Tags/></member>
            <member/>
          </Groups>
          <NextToken>n</NextToken>
        </DescribeResult></DescribeResponse>
        """.utf8))
    #expect(document.name == "DescribeResponse")
    #expect(document.text(at: "DescribeResult/NextToken") == "n")
    let groups = try #require(document.only("DescribeResult")?.only("Groups")).all("member")
    #expect(groups.map { $0.text(at: "Name") } == ["one", "two", nil])
    #expect(groups.map { $0.only("Tags")?.all("member").map(\.text) } == [["a", "b"], [], nil])
  }

  @Test(arguments: ["a", "a/c", "b", "d", "d/e/f"])
  func aTextThatIsNotThereOnceIsNone(path: String) throws {
    let document = try XMLElement(parsing: Array("<r><a><c>1</c><c>2</c></a><b>1</b><b>1</b><d><e>1</e></d></r>".utf8))
    #expect(document.text(at: path) == nil)
    #expect(document.text(at: "d/e") == "1")
  }

  @Test func credentialsThatAreThereTwiceAreRefused() {
    let twice = STSTests.answer.replacing("<AccessKeyId>", with: "<AccessKeyId>ASIAY</AccessKeyId><AccessKeyId>")
    #expect(throws: RoleAnswer.Incomplete.self) { try STSTests.issued(Array(twice.utf8)).get() }
  }

  @Test(arguments: [
    "", " ", "x", "<", "<a", "<a>", "<a><b></a></b>", "<a></a><b/>", "<a></a>x", "<a>&x;</a>", "<a>&#0;</a>",
    "<a>&#xD800;</a>", "<a>&#x110000;</a>", "<a>&#+65;</a>", "<a>&amp</a>", "<a>& </a>", "<1/>", "<a b></a>",
    "<a b=c></a>", "<a b='c></a>", "<a b='c'd='e'/>", "</a>", "<a/ >", "<!-- <a/>", "<a><![CDATA[x</a>", "<?xml <a/>",
    "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<a><?php ?></a>", #"{"a":1}"#,
    "<![CDATA[x]]>", "<!doctype html><html><br></html>",
  ])
  func anythingElseIsRefused(text: String) {
    #expect(throws: XMLElement.Refusal.self) { try XMLElement(parsing: Array(text.utf8)) }
  }

  @Test func everyTruncationAndEveryChangedByteIsAnErrorOrAnAnswer() {
    let whole = Array(STSTests.answer.utf8)
    for length in 0..<whole.count {
      #expect(throws: (any Error).self) { try STSTests.issued(Array(whole.prefix(length))).get() }
    }
    for index in whole.indices {
      for byte in [0, 0x26, 0x3c, 0x3e, 0xff] as [UInt8] {
        var changed = whole
        changed[index] = byte
        if case .success(let issued) = STSTests.issued(changed) { #expect(!issued.credentials.accessKeyID.isEmpty) }
      }
    }
  }

  @Test func hugeBodiesAreErrors() {
    var random = SeededRandom(seed: 7)
    let bodies: [[UInt8]] = [
      (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &random) },
      Array(String(repeating: "<a>", count: 33_000).utf8),
      Array((String(repeating: "<a>", count: 33) + String(repeating: "</a>", count: 33)).utf8),
      Array(String(repeating: "&", count: 100_000).utf8), Array(("<a>" + String(repeating: "&", count: 100_000)).utf8),
      Array(("<a " + String(repeating: "b='' ", count: 20_000)).utf8),
      Array(("<a>" + String(repeating: "<!-- -->", count: 12_000)).utf8),
      Array(repeating: UInt8(ascii: "<"), count: 100_000),
    ]
    for body in bodies {
      #expect(throws: (any Error).self) { try STSTests.issued(body).get() }
    }
  }

  @Test(arguments: ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "AssumeRoleResult", "Credentials"])
  func nothingMayBeMissing(element: String) {
    let body = STSTests.answer.replacing("<\(element)>", with: "<Other>").replacing("</\(element)>", with: "</Other>")
    #expect(throws: RoleAnswer.Incomplete.self) { try STSTests.issued(Array(body.utf8)).get() }
  }

  @Test func anotherOperationsAnswerIsRefused() {
    let body = CredentialServer.answer("AssumeRoleWithWebIdentity", "x")
    #expect(throws: RoleAnswer.Incomplete.self) { try STSTests.issued(Array(body.utf8)).get() }
  }

  @Test func throttlingIsTriedAgain() async throws {
    let transport = ScriptedTransport([
      .json(400, "<Error><Code>Throttling</Code><Message>m</Message></Error>"), .json(200, STSTests.answer),
    ])
    let manual = ManualEnvironment()
    let client = STSClient(
      region: "eu-west-1", endpoint: try ServiceEndpoint(service: "sts", region: "eu-west-1"),
      credentials: StaticCredentials(testKey), transport: transport, environment: manual.environment())
    let issued = try await client.assumeRole(.init(roleARN: "arn:r", sessionName: "s"), source: "s")
    #expect(issued.credentials.accessKeyID == "ASIAX")
    #expect(transport.requests.map(\.url) == Array(repeating: "https://sts.eu-west-1.amazonaws.com/", count: 2))
    #expect(manual.sleeps.count == 1)
  }

  @Test(
    .wholeSuiteOnly,
    .timeLimit(.minutes(2)),
    .enabled(
      if: Python.canImport("moto.server, boto3"), "needs moto[server] and boto3; INFRABENCH_PYTHON names a Python"))
  func motoGivesRoles() async throws {
    try await Python.withMoto { url in
      var home = try CredentialHome(
        config: "[profile r]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = b\n"
          + "[profile b]\naws_access_key_id = AKIAB\naws_secret_access_key = s",
        ["AWS_ENDPOINT_URL_STS": url, "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/w"])
      try await STSTests.waitUntilItListens(url)
      home.environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = try home.directory.write("token", "token")
      let web = try await home.credentials()
      home.flags.profile = "r"
      let role = try await home.credentials()
      for key in [web, role] {
        #expect(key.accessKeyID.hasPrefix("ASIA"))
        #expect(key.sessionToken?.isEmpty == false)
      }
    }
  }

  private static func waitUntilItListens(_ url: String) async throws {
    let transport = try CurlTransport()
    while (try? await transport.send(HTTPRequest(method: .get, url: url + "/moto-api/data.json")))?.status != 200 {
      try await Task.sleep(for: .milliseconds(50))
    }
  }
}
