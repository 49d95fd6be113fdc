import AWSSignature
import TestSupport
import Testing

@testable import AWSClient

@Suite struct CredentialFailureTests {
  /// What was said, and whether before anybody was asked.
  private static func run(_ failure: CredentialFailure) async throws -> (error: AWSError, isAtOnce: Bool, text: String)?
  {
    try await CredentialServer.run { server in
      var home = try CredentialHome()
      func filled(_ text: String) -> String {
        text.replacing("SERVER", with: server.url).replacing("HOME", with: home.directory.path)
      }
      home.environment.merge(failure.environment.mapValues(filled)) { $1 }
      home.flags.profile = failure.profile
      try home.directory.write(".aws/config", filled(failure.config))
      try home.directory.write(".aws/credentials", filled(failure.credentials))
      for (name, text) in failure.files { try home.directory.write(name, text) }
      func masked(_ error: AWSError) -> String {
        "\(error)".replacing(server.url, with: "SERVER").replacing(home.directory.path, with: "HOME")
      }
      let credentials: any CredentialsProvider
      do {
        credentials = try CredentialFailureTests.resolve(home, processTimeout: failure.processTimeout)
      } catch {
        let error = try #require(error as? AWSError)
        return (error, true, masked(error))
      }
      let error = await awsError { _ = try await credentials.credentials(replacing: nil) }
      return error.map { ($0, false, masked($0)) }
    }
  }

  /// As ``AWSConfiguration`` does it, with another bound of a program's time.
  private static func resolve(_ home: CredentialHome, processTimeout: Int) throws -> any CredentialsProvider {
    _ = try home.configuration()
    let variables = home.environment.filter { !$0.value.isEmpty }
    let files = SharedFiles(environment: variables, readFile: AWSConfiguration.readText)
    let manual = ManualEnvironment()
    var context = CredentialContext(
      environment: home.environment, files: files, calls: manual.environment(),
      transport: LazyTransport(certificateBundle: nil), region: "eu-west-1",
      stsEndpoint: try ServiceEndpoint.resolve(
        service: "sts", region: "eu-west-1", flag: nil, environment: variables, profile: nil))
    context.processTimeoutMilliseconds = processTimeout
    let search = CredentialSearch(profileFlag: home.flags.profile, environment: variables, files: files)
    return try RefreshingCredentials(search, context)
  }

  @Test(arguments: CredentialFailure.all) func failuresSayWhatToDoAndNoSecret(failure: CredentialFailure) async throws {
    let (error, isAtOnce, text) = try #require(try await CredentialFailureTests.run(failure))
    #expect(error.kind == failure.kind, "\(text)")
    #expect(isAtOnce == failure.isKnownAtOnce, "\(text)")
    for words in failure.says { #expect(text.contains(words), "\(text)") }
    #expect(!text.contains("\n") && text.count < 1_500, "\(text)")
    #expect(!text.contains("s3cr3t") && !"\(String(reflecting: error))".contains("s3cr3t"), "\(text)")
  }

  @Test(arguments: Place.allCases) func noTextOfCredentialsOrPlansShowsASecret(place: Place) async throws {
    try await CredentialServer.run { server in
      let home = try Place.home([place], server)
      let configuration = try home.configuration()
      let credentials = try await configuration.credentials.credentials(replacing: nil)
      let variables = home.environment.filter { !$0.value.isEmpty }
      let files = SharedFiles(environment: variables, readFile: AWSConfiguration.readText)
      let plan = try CredentialSearch(environment: variables, files: files).find().plan
      var texts = [
        "\(credentials)", credentials.source, String(reflecting: credentials), "\(plan)", String(reflecting: plan),
        plan.source, "\(IssuedCredentials(credentials: credentials, expiration: 1))",
      ]
      dump(plan, to: &texts[0])
      dump(credentials, to: &texts[1])
      for text in texts { #expect(!text.contains("s3cr3t"), "\(text)") }
    }
  }
}
