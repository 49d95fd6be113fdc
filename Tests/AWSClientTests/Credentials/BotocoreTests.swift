import AWSSignature
import Foundation
import TestSupport
import Testing

@testable import AWSClient

/// The same homes and environments, read by botocore and by us.
@Suite(.enabled(if: Python.canImport("botocore.session"), "needs botocore; INFRABENCH_PYTHON names a Python"))
struct BotocoreTests {
  private struct Answer: Decodable {
    var key: String?
    var url: String?
    var error: String?
  }

  private static func keys(_ name: String) -> String { "aws_access_key_id = \(name)\naws_secret_access_key = s\n" }

  /// What each file says, and what the environment adds.
  private static let cases: [(config: String, credentials: String, environment: [String: String])] =
    [
      ("", "[default]\n" + keys("PLAIN"), [:]),
      ("[default]\n" + keys("CONFIG"), "[default]\n" + keys("CREDENTIALS"), [:]),
      ("[default]\n" + keys("CONFIG"), "", [:]),
      ("", "[default]\n  aws_access_key_id = INDENTED\n  aws_secret_access_key = s\n", [:]),
      ("", "[default]\naws_access_key_id=TIGHT\naws_secret_access_key=a=b#c;d\n", [:]),
      ("", "[default]\naws_access_key_id: COLON\naws_secret_access_key: s\n", [:]),
      ("", "[default]\r\naws_access_key_id = CRLF\r\naws_secret_access_key = s\r\n", [:]),
      ("", "# c\n; d\n\n[default]\nAWS_ACCESS_KEY_ID = UPPER\n\n  # e\naws_secret_access_key = s\n", [:]),
      (
        "[default]\ns3 =\n  aws_access_key_id = NESTED\n  signature_version = s3v4\n" + keys("AFTERNESTED"), "", [:]
      ),
      ("[profile p]\n" + keys("PROFILE"), "", ["AWS_PROFILE": "p"]),
      ("[profile \"a b\"]\n" + keys("QUOTED"), "", ["AWS_PROFILE": "a b"]),
      ("[profile   spaced ]\n" + keys("SPACED"), "", ["AWS_PROFILE": "spaced"]),
      ("[p]\n" + keys("NOPROFILE"), "[p]\n" + keys("INCREDENTIALS"), ["AWS_PROFILE": "p"]),
      ("[profile p]\nregion = eu-north-1\n", "[p]\n" + keys("BOTH"), ["AWS_PROFILE": "p"]),
      ("", "[default]\n" + keys("FILE"), ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s"]),
      (
        "[profile p]\n" + keys("PROFILE"), "",
        ["AWS_PROFILE": "p", "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s"]
      ),
      ("", "[default]\n" + keys("FILE"), ["AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""]),
      (
        "[default]\ncredential_process = /bin/sh -c \"echo '{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"PROCESS\\\",\\\"SecretAccessKey\\\":\\\"s\\\"}'\"\n",
        "", [:]
      ),
      (
        "[default]\ncredential_process = /bin/echo '{\"Version\":1}'\n" + keys("CONFIG"), "[default]\n" + keys("CREDS"),
        [:]
      ),
      ("", "[default]\naws_access_key_id = HALF\n", [:]), ("", "", [:]),
      ("[default]\nrole_arn = arn:r\nsource_profile = none\n" + keys("K"), "", [:]),
      ("[default]\nrole_arn = arn:r\n" + keys("K"), "", [:]),
      ("[default]\nendpoint_url = http://profile\n" + keys("K"), "", [:]),
      (
        "[default]\nservices = x\nendpoint_url = http://profile\n" + keys("K")
          + "[services x]\nsts =\n  endpoint_url = http://sts\necs =\n  endpoint_url = http://services\n", "", [:]
      ),
      ("[default]\nservices = x\n" + keys("K"), "", [:]),
      ("[default]\nendpoint_url = http://profile\n" + keys("K"), "", ["AWS_ENDPOINT_URL": "http://env"]),
      (
        "", "[default]\n" + keys("K"), ["AWS_ENDPOINT_URL": "http://env", "AWS_ENDPOINT_URL_ECS": "http://ecs"]
      ),
      (
        "[default]\nendpoint_url = http://profile\n" + keys("K"), "",
        ["AWS_ENDPOINT_URL": "http://env", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"]
      ),
      ("[default]\nignore_configured_endpoint_urls = true\nendpoint_url = http://p\n" + keys("K"), "", [:]),
      ("[default]\nuse_fips_endpoint = true\n" + keys("K"), "", ["AWS_REGION": "us-gov-west-1"]),
      ("[default]\nuse_dualstack_endpoint = true\n" + keys("K"), "", [:]),
      ("", "[default]\n" + keys("K"), ["AWS_USE_DUALSTACK_ENDPOINT": "true", "AWS_USE_FIPS_ENDPOINT": "true"]),
    ] + regions.map { ("", "[default]\n" + keys("K"), ["AWS_REGION": $0]) }

  private static let regions = [
    "us-east-1", "cn-northwest-1", "us-gov-east-1", "us-iso-west-1", "us-isob-east-1", "eu-isoe-west-1",
    "us-isof-south-1", "eusc-de-east-1", "mars-north-9",
  ]

  @Test(.timeLimit(.minutes(2))) func botocoreFindsTheSame() async throws {
    var environments: [[String: String]] = []
    var homes: [CredentialHome] = []
    for item in BotocoreTests.cases {
      var home = try CredentialHome(
        config: item.config, credentials: item.credentials,
        ["AWS_REGION": "eu-west-1"].merging(item.environment) { $1 })
      home.flags.region = nil
      // botocore asks the container and the instance by itself; nobody is there.
      homes.append(home)
      environments.append(home.environment)
    }
    let directory = try ScratchDirectory()
    let list = try directory.write(
      "cases.json", String(decoding: try JSONEncoder().encode(environments), as: UTF8.self))
    let script = try #require(
      Bundle.module.url(forResource: "botocore_answers", withExtension: "py", subdirectory: "Fixtures"))
    let result = try await Python.run([script.path, list])
    let line = try #require(result.output.split(separator: "\n").last, "\(result.output)")
    let answers = try JSONDecoder().decode([Answer].self, from: Data(line.utf8))
    try #require(answers.count == homes.count)
    #expect(answers.filter { $0.key != nil }.count > 30)
    for (index, (home, theirs)) in zip(homes, answers).enumerated() {
      var ours: (key: String, url: String)?
      do {
        let configuration = try home.configuration()
        let key = try await configuration.credentials.credentials(replacing: nil)
        ours = (key.accessKeyID, configuration.ecsEndpoint.url)
      } catch is AWSError {}
      let comment: Comment = "\(index): \(BotocoreTests.cases[index]), \(theirs)"
      #expect(ours?.key == theirs.key, comment)
      if let ours, let url = theirs.url {
        #expect(ours.url == (url.hasSuffix("/") ? url : url + "/"), comment)
      }
    }
  }
}
