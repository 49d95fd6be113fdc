import Foundation
import TestSupport
import Testing
@testable import AWS

/// The same homes and environments, read by botocore and by us: access key, secret, token, expiration, region, bundle of
/// authorities, profile and endpoint.
@Suite(.enabled(if: Python.canImport("botocore.session"), "needs botocore; INFRABENCH_PYTHON names a Python"))
struct BotocoreTests {
  private struct Case: Encodable {
    var environment: [String: String]
    var profile: String?
  }

  private struct Answer: Decodable {
    var key, secret, token, region, bundle, profile, url, error: String?
    var expiration: Int64?

    var found: Found {
      // An empty value is none; a refusal before the credentials gives nothing at all.
      let texts: [(Found.Part, String?)] = [
        (.key, key), (.secret, secret), (.token, token), (.expiration, expiration.map { "\($0)" }), (.region, region),
        (.bundle, bundle), (.profile, url == nil ? nil : profile),
        (.url, url.map { $0.hasSuffix("/") ? $0 : $0 + "/" }),
      ]
      return Found(texts.compactMap { part, text in text.flatMap { $0.isEmpty ? nil : (part, $0) } })
    }
  }

  @Test(.wholeSuiteOnly, .timeLimit(.minutes(3))) func botocoreFindsTheSame() async throws {
    try await CredentialServer.run(expiration: "2035-01-01T00:00:00Z") { server in
      let made = MadeHome.handPicked + MadeHome.generated
      try #require(Set(made.map(\.name)).count == made.count, "two homes have the same name")
      var homes: [CredentialHome] = []
      for home in made { homes.append(try home.make(server.url)) }
      let answers = try await Self.answers(
        of: zip(made, homes).map { Case(environment: $1.environment, profile: $0.profile) })
      try #require(answers.count == homes.count)
      #expect(answers.filter { $0.key != nil }.count > 100)
      var passedOver = 0
      for ((made, home), answer) in zip(zip(made, homes), answers) {
        var theirs = answer.found
        theirs[.bundle] = theirs[.bundle].map { home.expandingTilde($0) }
        // What chance has broken we read on; how, the hand-picked broken files say.
        if made.isGenerated, answer.error?.hasPrefix("ConfigParseError") == true {
          passedOver += 1
          continue
        }
        let meant = MadeHome.meantDifferences[made.name]
        let expected = (meant.map { theirs.changed(by: $0) } ?? theirs).whereThereIsAKey
        #expect(meant == nil || expected != theirs.whereThereIsAKey, "\(made.name): no difference any more")
        let (found, error) = await Found.byUs(home)
        let ours = found.whereThereIsAKey
        let differences = ours.differences(from: expected)
        #expect(
          differences == [],
          "\(made.name); botocore: \(answer.error ?? "no error"); we: \(error ?? "no error"); \(made)")
      }
      #expect(passedOver <= MadeHome.generated.count / 3)
      #expect(MadeHome.meantDifferences.keys.allSatisfy { name in made.contains { $0.name == name } })
    }
  }

  private static func answers(of cases: [Case]) async throws -> [Answer] {
    let directory = try ScratchDirectory()
    let list = try directory.write("cases.json", String(decoding: try JSONEncoder().encode(cases), as: UTF8.self))
    let script = try #require(
      Bundle.module.url(forResource: "botocore_answers", withExtension: "py", subdirectory: "Fixtures"))
    let result = try await Python.run([script.path, list], environment: ["TZ": "Europe/Berlin"])
    let line = try #require(result.output.split(separator: "\n").last, "\(result.output)")
    return try JSONDecoder().decode([Answer].self, from: Data(line.utf8))
  }
}

/// What was found.
struct Found: Equatable {
  enum Part: String, CaseIterable { case key, secret, token, expiration, region, bundle, profile, url }

  private var parts: [Part: String] = [:]

  init(_ parts: [(Part, String)]) { self.parts = Dictionary(uniqueKeysWithValues: parts) }

  subscript(_ part: Part) -> String? {
    get { parts[part] }
    set { parts[part] = newValue }
  }

  /// With other parts; an empty one takes the part away.
  func changed(by changes: [Part: String]) -> Found {
    var result = self
    for (part, text) in changes { result[part] = text.isEmpty ? nil : text }
    return result
  }

  /// Nothing where there is no key: botocore doesn't tell the rest of all of these homes.
  var whereThereIsAKey: Found { parts[.key] == nil ? Found([]) : self }

  func differences(from other: Found) -> [String] {
    Part.allCases.filter { self[$0] != other[$0] }.map { "\($0) '\(self[$0] ?? "-")' instead of '\(other[$0] ?? "-")'" }
  }

  /// What the library finds in a home, and its error.
  static func byUs(_ home: CredentialHome) async -> (Found, error: String?) {
    let variables = home.environment.filter { !$0.value.isEmpty }
    let files = SharedFiles(environment: variables, readFile: AWSConfiguration.readText)
    var found = Found([])
    do {
      let profile = try files.profile(flag: home.flags.profile, environment: variables)
      let region = AWSConfiguration.region(flags: home.flags, variables: variables, profile: profile)?.name
      var home = home
      // Without a region nothing is called; which credentials there are can be told all the same.
      home.flags.region = region ?? "us-east-1"
      var known = home
      known.flags.credentials = testKey
      let configuration = try known.configuration()
      found[.profile] = home.flags.profile ?? files.defaultProfile(variables)
      found[.region] = region
      found[.bundle] = configuration.certificateBundle
      found[.url] = configuration.ecsEndpoint.url
      let credentials = try await home.configuration().credentials.credentials(replacing: nil)
      found[.key] = credentials.accessKeyID
      found[.secret] = credentials.secretAccessKey
      found[.token] = credentials.sessionToken
      found[.expiration] = try await home.expiration(variables, files, region: home.flags.region ?? "")
      return (found, nil)
    } catch {
      return (found, "\(error)")
    }
  }
}

extension CredentialHome {
  /// When the credentials end, seconds since 1970: the provider keeps that to itself.
  fileprivate func expiration(
    _ variables: [String: String], _ files: SharedFiles, region: String
  ) async throws -> String? {
    let profile = try files.profile(flag: flags.profile, environment: variables)
    let context = CredentialContext(
      environment: environment, files: files, calls: ManualEnvironment().environment(),
      transport: LazyTransport(certificateBundle: nil), region: region,
      stsEndpoint: try ServiceEndpoint.resolve(
        service: "sts", region: region, flag: nil, environment: variables, profile: profile))
    let chain = CredentialChain(profileFlag: flags.profile, environment: variables, files: files)
    return try await chain.fetch(context).expiration.map { "\($0)" }
  }

  fileprivate func expandingTilde(_ path: String) -> String {
    path.hasPrefix("~/") ? directory.path + path.dropFirst() : path
  }
}
