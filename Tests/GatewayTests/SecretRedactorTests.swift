import Gateway
import TestSupport
import Testing
import Transport

/// What a gateway repeats of what it was sent is shown to nobody.
@Suite(.timeLimit(.minutes(1))) struct SecretRedactorTests {
  private static let secret = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDB9.c2VjcmV0"

  @Test func aSecretThatBeginsAnotherLeavesNoRest() {
    #expect(
      SecretRedactor.without(["first-s3cret", "first-s3cret-longer"], in: "first-s3cret-longer first-s3cret") == "… …")
    #expect(SecretRedactor.without(["", "a b/c"], in: "a b/c a%20b%2Fc") == "… …")
    #expect(SecretRedactor.without([], in: "a b") == "a b" && SecretRedactor.without(["abc"], in: "") == "")
  }

  @Test(arguments: [8, 20, 55]) func theBeginningOfASecretIsTakenFromTheEnd(_ length: Int) {
    let text = "no such token: \(Self.secret.prefix(length))"
    #expect(SecretRedactor.without(["other", Self.secret], in: text) == "no such token: …")
    #expect(SecretRedactor.without([Self.secret], in: text + " ") == (length == 55 ? "no such token: … " : text + " "))
  }

  /// As JSON, HTML and addresses write it, in whole and in part, and twice over.
  @Test(arguments: [
    "a+b/c=d&e.f\\g", "a%2bb%2fc%3dd%26e.f%5cg", "a%2Bb/c=d&e%2Ef%5Cg", #"a+b\/c=d&e.f\\g"#,
    #"a\u002bb\u002Fc\u003dd\u0026e.f\u005Cg"#, #"a&#43;b/c=d&amp;e.f\g"#, #"a&#x2b;b&#X2F;c&equals;d&amp;e.f&#0092;g"#,
    #"a&plus;b&sol;c&#61;d&#x00026;e.f\g"#, "a%252Bb%252fc%253Dd%2526e.f%255Cg", #"a+b\\/c=d&e.f\\\\g"#,
    #"a\u002bb%2fc=d&amp;e.f&#92;g"#, "%61%2b%62%2f%63%3d%64%26%65%2e%66%5c%67",
  ]) func aSecretIsFoundHoweverItIsWritten(_ spelling: String) {
    let secret = #"a+b/c=d&e.f\g"#
    for (before, after) in [("", ""), ("no such token: '", "'"), ("100% of & \\", " %zz &x; \\q")] {
      #expect(SecretRedactor.without([secret, "other"], in: before + spelling + after) == "\(before)…\(after)")
    }
    let two = SecretRedactor(["other"]).adding(SecretRedactor([secret]))
    #expect(two.removed(from: "\(spelling) other") == "… …")
    // The text ends within it, and within a code too.
    let bytes = Array(spelling.utf8)
    for length in (bytes.count * 9 / 10)..<bytes.count {
      let cut = String(decoding: bytes.prefix(length), as: UTF8.self)
      #expect(SecretRedactor.without([secret], in: "token \(cut)") == "token …", "\(cut)")
    }
  }

  @Test func aSecretThatLooksEncodedIsFoundAsItIsAndDecoded() {
    let secret = "key%2Fwith%41and&amp;in"
    for text in [secret, "key/withAand&in", "key%252Fwith%2541and%26amp%3Bin", #"key\/withAand\u0026in"#] {
      #expect(SecretRedactor.without([secret], in: "<\(text)>") == "<…>", "\(text)")
    }
    // What is left of a short one is in any text.
    #expect(SecretRedactor.without(["%41"], in: "A %41 %2541") == "A … …")
  }

  @Test func secretsThatOverlapLeaveNothing() {
    #expect(SecretRedactor.without(["abcd", "cdef", "ab"], in: "abcdef ab cd") == "… … cd")
    #expect(SecretRedactor.without(["abc"], in: "äabcö abÖ") == "ä…ö abÖ")
  }

  /// As many as a long run's renewals leave behind, all of which begin alike.
  @Test func aThousandSecretsAreFoundAtOnce() {
    let secrets = SecretRedactor((0..<1000).map { "eyJhbGciOiJub25lIn0.\($0).c2lnbmF0dXJl" })
    for number in [0, 7, 500, 999] {
      #expect(secrets.removed(from: "x eyJhbGciOiJub25lIn0.\(number).c2lnbmF0dXJl y") == "x … y")
    }
    #expect(secrets.removed(from: "x eyJhbGciOiJub25lIn0.1000.c2lnbmF0dXJl y").hasPrefix("x eyJ"))
  }

  /// Every call's answer, at every length that brings the cut into the secret.
  @Test(arguments: [0, 40, 80, 100, 110]) func aGatewayThatRepeatsTheTokenGivesItToNobody(_ padding: Int) async throws {
    let body = String(repeating: "x", count: padding) + Self.secret
    for (status, text) in [(401, body), (200, body), (400, "{\"success\": false, \"error\": \"\(body)\"}")] {
      let server = try await ScriptedServer { _ in [ScriptedServer.answer(text, status: status)] }
      let client = GatewayClientTests.client(server.port, headers: [("Authorization", "Bearer \(Self.secret)")])
      var said: [String] = []
      if case .failed(let error, _) = await client.acquire(userID: "u") { said.append(error.message) }
      if case .failure(let error) = await client.release("t") { said.append(error.message) }
      if case .failure(let error) = await client.status() { said.append(error.message) }
      client.close()
      await server.stop()
      #expect(said.count == 3)
      for message in said { #expect(!message.contains(Self.secret.prefix(8)), "\(message)") }
    }
  }
}
