import Latency
import TestSupport
import Testing
@testable import AWS

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
  private static func resolve(_ home: CredentialHome, processTimeout: Nanoseconds) throws -> any CredentialsProvider {
    _ = try home.configuration()
    let variables = home.environment.filter { !$0.value.isEmpty }
    let files = SharedFiles(environment: variables, readFile: AWSConfiguration.readText)
    let manual = ManualEnvironment()
    var context = CredentialContext(
      environment: home.environment, files: files, calls: manual.environment(),
      transport: LazyTransport(certificateBundle: nil), region: "eu-west-1",
      stsEndpoint: try ServiceEndpoint.resolve(
        service: "sts", region: "eu-west-1", flag: nil, environment: variables, profile: nil))
    context.processTimeout = processTimeout
    let chain = CredentialChain(profileFlag: home.flags.profile, environment: variables, files: files)
    return try RefreshingCredentials(chain, context)
  }

  @Test(arguments: CredentialFailure.all) func failuresSayWhatToDoAndNoSecret(failure: CredentialFailure) async throws {
    let (error, isAtOnce, text) = try #require(try await CredentialFailureTests.run(failure))
    #expect(error.kind == failure.kind, "\(text)")
    #expect(isAtOnce == failure.isKnownAtOnce, "\(text)")
    for words in failure.says { #expect(text.contains(words), "\(text)") }
    #expect(!text.contains("\n") && text.count < 1_500, "\(text)")
    #expect(!text.contains("s3cr3t") && !"\(String(reflecting: error))".contains("s3cr3t"), "\(text)")
  }

  /// Neither by the client nor by its caller: the provider has tried again itself.
  @Test(arguments: [503, 400]) func aCallWithoutCredentialsIsNeitherSentNorTriedAgain(status: Int) async throws {
    var home = try CredentialHome(
      config: "[profile p]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n[profile base]\n"
        + "aws_access_key_id = AKIABASE\naws_secret_access_key = s3cr3t")
    home.flags.profile = "p"
    let failure = ScriptedTransport.Answer.json(status, "<Error><Code>Throttling</Code><Message>no</Message></Error>")
    let tokenService = ScriptedTransport([failure, failure, failure])
    let ecs = ScriptedTransport([RetryTests.empty])
    let manual = ManualEnvironment()
    let client = try makeClient(
      ecs, environment: manual.environment(),
      credentials: try home.configuration(transport: tokenService).credentials)
    let error = try #require(await awsError { _ = try await client.listTasks(.init()) })
    #expect(error.kind == .credentials && !error.isRetryable)
    #expect(ecs.requests.isEmpty && tokenService.requests.count == 3 && manual.sleeps.isEmpty)
    #expect(client.throttleCount == 0)
    for text in [
      "role arn:aws:iam::1:role/r by way of profile 'base' in ", "3 tries",
      "sts:AssumeRole at https://sts.eu-west-1.amazonaws.com/: Throttling: no",
    ] { #expect(error.description.contains(text), "\(error)") }
  }

  @Test func aCancelledWaitForTheTokenServiceStaysCancelled() async throws {
    let home = try CredentialHome(["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/"])
    let cancelled = ScriptedTransport([.failure(.init(.cancelled, "the request was cancelled"))])
    let error = await awsError { _ = try await home.credentials(transport: cancelled) }
    #expect(error?.kind == .transfer && error?.transfer?.kind == .cancelled, "\(String(describing: error))")
  }

  @Test(arguments: Place.allCases) func noTextOfCredentialsOrPlansShowsASecret(place: Place) async throws {
    try await CredentialServer.run { server in
      let home = try Place.home([place], server)
      let configuration = try home.configuration()
      let credentials = try await configuration.credentials.credentials(replacing: nil)
      let variables = home.environment.filter { !$0.value.isEmpty }
      let files = SharedFiles(environment: variables, readFile: AWSConfiguration.readText)
      let source = try CredentialChain(environment: variables, files: files).find().source
      var texts = [
        "\(credentials)", credentials.source, String(reflecting: credentials), "\(source)", String(reflecting: source),
        source.name, "\(IssuedCredentials(credentials: credentials, expiration: 1))",
      ]
      dump(source, to: &texts[0])
      dump(credentials, to: &texts[1])
      for text in texts { #expect(!text.contains("s3cr3t"), "\(text)") }
    }
  }
}
