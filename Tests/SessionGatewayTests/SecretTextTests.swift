import SessionGateway
import TestSupport
import Testing
import Transport

/// What a gateway repeats of what it was sent is shown to nobody.
@Suite(.timeLimit(.minutes(1))) struct SecretTextTests {
  private static let secret = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDB9.c2VjcmV0"

  @Test func aSecretThatBeginsAnotherLeavesNoRest() {
    #expect(
      SecretText.without(["first-s3cret", "first-s3cret-longer"], in: "first-s3cret-longer first-s3cret") == "… …")
    #expect(SecretText.without(["", "a b/c"], in: "a b/c a%20b%2Fc") == "… …")
    #expect(SecretText.without([], in: "a b") == "a b" && SecretText.without(["abc"], in: "") == "")
  }

  @Test(arguments: [8, 20, 55]) func theBeginningOfASecretIsTakenFromTheEnd(_ length: Int) {
    let text = "no such token: \(Self.secret.prefix(length))"
    #expect(SecretText.without(["other", Self.secret], in: text) == "no such token: …")
    #expect(SecretText.without([Self.secret], in: text + " ") == (length == 55 ? "no such token: … " : text + " "))
  }

  /// Every call's answer, at every length that brings the cut into the secret.
  @Test(arguments: [0, 40, 80, 100, 110]) func aGatewayThatRepeatsTheTokenGivesItToNobody(_ padding: Int) async throws {
    let body = String(repeating: "x", count: padding) + Self.secret
    for (status, text) in [(401, body), (200, body), (400, "{\"success\": false, \"error\": \"\(body)\"}")] {
      let server = try await ScriptedServer { _ in [ScriptedServer.answer(text, status: status)] }
      let client = GatewayClientTests.client(server.port, headers: [("Authorization", "Bearer \(Self.secret)")])
      var said: [String] = []
      if case .failed(let error, _) = await client.acquire(userID: "u") { said.append(error.message) }
      if case .failure(let error) = await client.release(taskID: "t") { said.append(error.message) }
      if case .failure(let error) = await client.status() { said.append(error.message) }
      client.close()
      await server.stop()
      #expect(said.count == 3)
      for message in said { #expect(!message.contains(Self.secret.prefix(8)), "\(message)") }
    }
  }
}
