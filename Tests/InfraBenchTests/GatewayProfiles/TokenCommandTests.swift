import FoundationEssentials
import TestSupport
import Testing
import Transport

@testable import Gateway
@testable import InfraBench
@testable import Results

/// Tokens that a command prints, and which user sends which.
@Suite(.timeLimit(.minutes(1))) struct TokenCommandTests {
  private let bench = RunContext(console: Console(print: .json, isQuiet: true))
  private let endpoint = Endpoint(host: "127.0.0.1", port: 1)

  private func open(_ command: [String]) async throws(BenchmarkFailure) -> TokenSource {
    var settings = TargetSettings(
      gateway: .remote(endpoint), headers: [], tls: nil, isInsecure: false, agents: 0, allowsAgentsBesideReal: false)
    settings.tokenCommand = command
    return try await TokenSource.open(settings)
  }

  private func shell(_ script: String) -> [String] { ["/bin/sh", "-c", script] }

  @Test func theTokenIsWhatTheCommandPrintsWithoutBlanksAround() async throws {
    let tokens = try await open(shell(#"printf '  s3cret \n\n'"#))
    #expect(tokens.count == 1 && tokens.token(ofUser: 5) == "s3cret")
    // It never expires: there is nothing to renew.
    await tokens.renew(bench)
    #expect(tokens.generation == 0)
  }

  @Test(arguments: [
    "exit 3", "echo s3cret >&2; echo s3cret; exit 1", "true", "printf 's3c\\tret\\001'", "printf 's3cret\\ns3cret'",
  ])
  func aCommandThatPrintsNoTokenIsSaidAndWhatItPrintedIsNot(_ script: String) async throws {
    let error = await #expect(throws: BenchmarkFailure.self) { _ = try await open(shell(script)) }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains("--token-command: ") && !text.contains("s3cret"), "\(text)")
  }

  @Test func aCommandThatIsNotThereIsSaid() async throws {
    await #expect(throws: BenchmarkFailure.self) { _ = try await open(["/nonexistent/token"]) }
  }

  /// A JWT that lives for three seconds is replaced before its end, and users then send the new one.
  @Test func aTokenIsRenewedBeforeItExpiresAndUsersSendTheNewOne() async throws {
    let scratch = try ScratchDirectory()
    let script = """
      echo x >> '\(scratch.path)/runs'
      claims=$(printf '{"exp": %d, "n": %d}' $(($(date +%s) + 3)) $(wc -l < '\(scratch.path)/runs') | base64 | tr -d '=\\n')
      printf 'e30.%s.x' "$claims"
      """
    let tokens = try await open(shell(script))
    let first = try #require(tokens.token(ofUser: 0))
    let visitors = UserCredentials(to: endpoint, headers: [], tokens: tokens, callForms: GatewayCallForms())
    let renewed = try #require(visitors.renewal(ofUser: 0))
    #expect(renewed().token == first && visitors.headers(ofUser: 7).map(\.value) == ["Bearer \(first)"])
    let renewal = Task { [bench] in await tokens.renew(bench) }
    for _ in 0..<2000 where tokens.generation == 0 { try await Task.sleep(for: .milliseconds(10)) }
    renewal.cancel()
    await renewal.value
    let second = try #require(tokens.token(ofUser: 0))
    #expect(tokens.generation >= 1 && second != first)
    #expect(renewed().token == second && visitors.headers(ofUser: 7).map(\.value) == ["Bearer \(second)"])
    // An error may still come that the first is in.
    #expect(tokens.withoutTokens("\(first) \(second)", ofUser: 3) == "… …")
    #expect(visitors.withoutSecrets("\(first) \(second)", user: 3) == "… …")
  }

  @Test func eachUserSendsItsOwnTokenEverywhere() {
    let tokens = TokenSource(["token-a", "token-b"])
    let visitors = UserCredentials(
      to: endpoint, headers: [SecretHeader(name: "X-Team", value: "t")], tokens: tokens, callForms: GatewayCallForms())
    for (user, token) in [(0, "token-a"), (1, "token-b"), (2, "token-a"), (101, "token-b")] {
      #expect(visitors.headers(ofUser: user).map(\.value) == ["t", "Bearer \(token)"])
      #expect(visitors.requests(ofUser: user).token == token)
    }
    #expect(visitors.requests(ofUser: 0) === visitors.requests(ofUser: 2), "written once for each token")
    #expect(visitors.renewal(ofUser: 0) == nil)
  }

  @Test func headersAndTokensAreInNoText() {
    let visitors = UserCredentials(
      to: endpoint, headers: [SecretHeader(name: "X-Key", value: "s3cret/key:token-b")],
      tokens: TokenSource(["token-a", "token-b"]), callForms: GatewayCallForms())
    for (text, shown) in [
      (#"{"key": "s3cret\/key:token-b"}"#, #"{"key": "…"}"#), ("token-b, token-a", "…, token-a"), ("Bearer", "Bearer"),
    ] {
      #expect(visitors.withoutSecrets(text, user: 1) == shown)
    }
  }

  @Test func aCommandThatPrintsAnExpiredTokenIsSaid() async throws {
    // {"exp": 1000}
    let tokens = try await open(shell("echo e30.eyJleHAiOiAxMDAwfQ.x"))
    let renewal = Task { [bench] in await tokens.renew(bench) }
    for _ in 0..<2000 where bench.notes.all.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
    renewal.cancel()
    await renewal.value
    #expect(bench.notes.all == ["--token-command: the command printed a token that has expired"])
  }

  @Test func anAuthorizationOfTheUsersOwnIsSentAlone() {
    let own = SecretHeader(name: "authorization", value: "Basic eA==")
    let visitors = UserCredentials(
      to: endpoint, headers: [own], tokens: TokenSource(["a"]), callForms: GatewayCallForms())
    #expect(visitors.headers(ofUser: 0).map(\.value) == ["Basic eA=="])
    let nobody = UserCredentials(to: endpoint, headers: [], tokens: TokenSource([]), callForms: GatewayCallForms())
    #expect(nobody.headers(ofUser: 3).isEmpty && nobody.requests(ofUser: 3).token == nil)
  }
}
