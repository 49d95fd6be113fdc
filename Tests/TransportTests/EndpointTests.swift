import Testing
import Transport

@Suite struct EndpointTests {
  static let good: [(String, Endpoint)] = [
    ("http://localhost", Endpoint(host: "localhost", port: 80)),
    ("ws://localhost:5174", Endpoint(host: "localhost", port: 5174)),
    ("https://gateway.internal", Endpoint(host: "gateway.internal", port: 443, isSecure: true)),
    ("WSS://gateway.internal:8443/", Endpoint(host: "gateway.internal", port: 8443, isSecure: true)),
    ("http://h/base/path///", Endpoint(host: "h", port: 80, basePath: "/base/path")),
    ("http://h/a%20b", Endpoint(host: "h", port: 80, basePath: "/a%20b")),
    ("http://[::1]:5174", Endpoint(host: "::1", port: 5174)),
    ("http://127.0.0.1:1", Endpoint(host: "127.0.0.1", port: 1)),
    ("http://127.0.0.1:65535", Endpoint(host: "127.0.0.1", port: 65535)),
  ]

  @Test(arguments: good) func urlsOfAllFourSchemesAreParsed(_ text: String, _ expected: Endpoint) throws {
    #expect(try Endpoint(parsing: text) == expected)
  }

  @Test(arguments: good) func theURLOfAnEndpointNamesTheSameEndpoint(_ text: String, _ expected: Endpoint) throws {
    #expect(try Endpoint(parsing: expected.httpURL) == expected)
    #expect(try Endpoint(parsing: expected.webSocketURL) == expected)
  }

  @Test(arguments: [
    "", "localhost", "localhost:5174", "//localhost", "://", "http://", "http:///path", "http://:80", "ftp://h",
    "unix:///tmp/s", "file:///etc/passwd", "http://h:0", "http://h:65536", "http://h:99999999999999999999",
    "http://h:-1",
    "http://h:", "http://h:80:90", "http://h:8o", "http://h?x=1", "http://h/#top", "http://h/?", "http://h/#",
    "http://user@h", "http://user:secret@h", "http://@h", "http://h h", "http://h/\r\nX: y", "http://h/a b",
    "http://höst/", "http://h/é", "http://[::1", "http://::1:80", "http://a%0d%0aX-Evil:%201/", "http://a%20b/",
    "http://h/\u{0}", " http://h", "http://h ", "javascript://h", "http://h\\@evil",
  ])
  func hostileURLsAreRefused(_ text: String) {
    #expect(throws: EndpointError.self) { try Endpoint(parsing: text) }
  }

  @Test(arguments: [
    "http://user:s3cret@h", "user:s3cret@h:5174", "htp://user:s3cret@h", "http:/user:s3cret@h",
    "http://user:s3cret@h:0",
    "http://user:s3cret@h h", "http://user:s3cret@",
  ])
  func aRefusalNeverRepeatsAPassword(_ text: String) {
    #expect {
      try Endpoint(parsing: text)
    } throws: {
      !"\($0)".contains("s3cret")
    }
  }

  @Test(arguments: [
    ("localhost", true), ("127.0.0.1", true), ("127.255.0.3", true), ("::1", true), ("128.0.0.1", false),
    ("127.0.0.1.evil.com", false), ("127.0.0", false), ("127.0.0.256", false), ("localhost.evil.com", false),
    ("0.0.0.0", false), ("::", false), ("10.0.0.1", false),
  ])
  func onlyLoopbackIsLoopback(_ host: String, _ expected: Bool) {
    #expect(Endpoint(host: host, port: 1).isLoopback == expected)
  }

  @Test func theHostHeaderLeavesOutTheSchemesOwnPort() {
    #expect(Endpoint(host: "h", port: 80).hostHeader == "h")
    #expect(Endpoint(host: "h", port: 443).hostHeader == "h:443")
    #expect(Endpoint(host: "h", port: 443, isSecure: true).hostHeader == "h")
    #expect(Endpoint(host: "::1", port: 5174).hostHeader == "[::1]:5174")
  }
}
