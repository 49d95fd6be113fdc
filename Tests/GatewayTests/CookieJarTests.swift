import Foundation
import Gateway
import TestSupport
import Testing

/// Which cookies are sent back, alone and as curl does it.
@Suite(.timeLimit(.minutes(2))) struct CookieJarTests {
  static let now = 1_800_000_000.0

  private func field(
    _ cookies: [String], from: String = "/api/acquire", to path: String = "/api/release", isSecure: Bool = false,
    later: Double = 0
  ) -> String? {
    var jar = CookieJar()
    for cookie in cookies { jar.store(cookie, from: from, now: Self.now) }
    return jar.field(for: path, isSecure: isSecure, now: Self.now + later)
  }

  @Test func aSessionCookieIsSentUnderItsPathOnly() {
    #expect(field(["node=b"]) == "node=b")
    #expect(field(["node=b"], to: "/session/u") == nil)
    #expect(field(["node=b; Path=/"], to: "/session/u") == "node=b")
    #expect(field(["node=b; path=/session"], to: "/sessions/u") == nil)
    #expect(field(["node=b; path=relative"], to: "/api/x") == "node=b")
  }

  @Test func theLaterOfTwoCookiesOfOneNameCounts() {
    #expect(field(["a=1; Path=/", "b=2; Path=/", "a=3; Path=/"]) == "a=3; b=2")
    #expect(field(["a=1; Path=/", "a=2; Path=/api"]) == "a=2; a=1")
  }

  @Test func maxAgeCountsBeforeExpiresAndBothEnd() {
    let past = "Thu, 01 Jan 1970 00:00:10 GMT"
    #expect(field(["a=1; Expires=\(past); Max-Age=60"], later: 59) == "a=1")
    #expect(field(["a=1; Max-Age=60"], later: 60) == nil)
    #expect(field(["a=1; Path=/api", "a=; Path=/api; Expires=\(past)"]) == nil)
    #expect(field(["a=1", "a=; Max-Age=0"]) == nil)
    #expect(field(["a=1; Max-Age=1.5"], later: 10) == "a=1", "a malformed Max-Age is none")
  }

  @Test func aSecureCookieIsNotSentInTheOpen() {
    #expect(field(["a=1; Secure"]) == nil)
    #expect(field(["a=1; Secure"], isSecure: true) == "a=1")
  }

  @Test(arguments: ["", "novalue", "=x", "a\u{0}=1", "a=1\r\nX: y", "a=" + String(repeating: "x", count: 5000)])
  func malformedAndOversizedCookiesAreLeftOut(_ cookie: String) {
    #expect(field([cookie]) == nil)
  }

  @Test func aJarIsBounded() {
    let sent = field((0..<1000).map { "c\($0)=1" }) ?? ""
    #expect(sent.split(separator: ";").count == 50)
  }

  /// Where a text of more than 15 bytes has its bytes.
  private func place(_ text: String?) -> UnsafeRawPointer? {
    text?.utf8.withContiguousStorageIfAvailable { $0.baseAddress.map { UnsafeRawPointer($0) } } ?? nil
  }

  @Test func aFieldIsRenderedOnceUntilItsCookiesChange() throws {
    var jar = CookieJar()
    jar.store("node=\(String(repeating: "b", count: 40)); Path=/; Max-Age=60", from: "/", now: Self.now)
    let first = jar.field(for: "/api/release", isSecure: false, now: Self.now)
    let copy = jar
    let again = copy.field(for: "/api/release", isSecure: false, now: Self.now + 59)
    let bytes = try #require(place(first))
    #expect(bytes == place(again), "the same bytes, not equal ones")
    jar.store("more=1; Path=/", from: "/", now: Self.now)
    #expect(jar.field(for: "/api/release", isSecure: false, now: Self.now)?.hasSuffix("; more=1") == true)
    #expect(copy.field(for: "/api/release", isSecure: false, now: Self.now) == first, "a copy keeps its own")
    #expect(copy.field(for: "/api/release", isSecure: false, now: Self.now + 60) == nil)
    #expect(jar.field(for: "/api/release", isSecure: false, now: Self.now + 60) == "more=1")
  }

  @Test func manyPathsAreServedRightThoughFewAreKept() {
    var jar = CookieJar()
    for number in 0..<20 { jar.store("c\(number)=1; Path=/p\(number)", from: "/", now: Self.now) }
    for _ in 0..<2 {
      for number in 0..<20 {
        #expect(jar.field(for: "/p\(number)", isSecure: false, now: Self.now) == "c\(number)=1")
      }
    }
  }

  /// What a server sets with the answer to `/api/acquire`; curl then asks for three other paths.
  static let sets = [
    ["node=b; Path=/"],
    ["AWSALB=x+/=; Expires=Wed, 09 Jun 2055 10:18:14 GMT; Path=/", "AWSALBCORS=y; Path=/; SameSite=None; Secure"],
    ["a=1", "b=2; Path=/", "c=3; Path=/api/release", "d=4; HttpOnly"],
    ["a=1; Expires=Sun, 06-Nov-94 08:49:37 GMT", "b=2"],
    ["a=1; Max-Age=0", "b=\"quoted, value\"; Path=/"], ["SERVERID=node2; path=/"],
    ["a=1; Max-Age=1000; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
    ["a=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT"], ["a=1; Path=/api/"], ["a=1; Path=\"/\""], ["a = 1 ; Path = /"],
  ]

  @Test(
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/curl"), "needs curl"),
    arguments: sets.indices)
  func whatIsSentIsWhatCurlSends(_ index: Int) async throws {
    let paths = ["/api/release", "/session/u", "/api/status"]
    let server = try await ScriptedServer { request in
      guard request.head.contains("/api/acquire") else { return [ScriptedServer.answer("")] }
      let fields = Self.sets[index].map { "Set-Cookie: \($0)\r\n" }.joined()
      return [.send("HTTP/1.1 200 OK\r\n\(fields)Content-Length: 0\r\n\r\n")]
    }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/curl")
    process.arguments =
      ["--silent", "--noproxy", "*", "--max-time", "20", "--cookie", ""]
      + (["/api/acquire"] + paths).map { "http://127.0.0.1:\(server.port)\($0)" }
    #expect(try await process.outcome().status == 0)
    await server.waitForRequests(4)
    try #require(server.requests.count == 4)
    for (path, request) in zip(paths, server.requests.dropFirst()) {
      let line = request.head.split(separator: "\r\n").first { $0.hasPrefix("Cookie: ") }
      let sent = line.map { Set($0.dropFirst(8).components(separatedBy: "; ")) }
      var jar = CookieJar()
      let now = Date().timeIntervalSince1970
      for cookie in Self.sets[index] { jar.store(cookie, from: "/api/acquire", now: now) }
      // curl orders them its own way, and takes the way to 127.0.0.1 for secure.
      let ours = jar.field(for: path, isSecure: true, now: now).map { Set($0.components(separatedBy: "; ")) }
      #expect(ours == sent, "\(path)")
    }
    await server.stop()
  }
}
