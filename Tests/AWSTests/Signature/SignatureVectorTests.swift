import Foundation
import Testing

@testable import AWS

/// One line of the fixture: a request, and what botocore makes of it.
struct SignatureVector: Decodable, CustomTestStringConvertible {
  struct Case: Decodable {
    var access_key: String
    var secret_key: String
    var timestamp: String
    var region: String
    var service: String
    var method: String
    var url: String
    var body: String?
    var token: String?
    var headers: [[String]]
  }

  struct Expectation: Decodable {
    var authorization: String
    var canonical_request: String
    var string_to_sign: String
    var signature: String
    var signed_headers: String
  }

  var `case`: Case
  var expect: Expectation

  var testDescription: String { "\(`case`.method) \(`case`.url) \(expect.signature.prefix(8))" }

  static let all: [SignatureVector] = {
    guard let url = Bundle.module.url(forResource: "sigv4-cases", withExtension: "ndjson", subdirectory: "Fixtures"),
      let text = try? String(contentsOf: url, encoding: .utf8)
    else { return [] }
    return text.split(separator: "\n").compactMap {
      try? JSONDecoder().decode(SignatureVector.self, from: Data($0.utf8))
    }
  }()

  var credentials: AWSCredentials {
    AWSCredentials(
      accessKeyID: `case`.access_key, secretAccessKey: `case`.secret_key, sessionToken: `case`.token, source: "test")
  }

  var request: SignableRequest {
    let afterScheme = `case`.url.drop { $0 != "/" }.dropFirst(2)
    let host = afterScheme.prefix { $0 != "/" }
    let target = afterScheme.dropFirst(host.count).split(separator: "?", maxSplits: 1)
    return SignableRequest(
      method: `case`.method, path: String(target[0]), query: target.count == 2 ? String(target[1]) : "",
      headers: `case`.headers.map { ($0[0], $0[1]) } + [("Host", String(host))], body: Array((`case`.body ?? "").utf8))
  }
}

@Suite struct SignatureVectorTests {
  @Test func allVectorsAreRead() { #expect(SignatureVector.all.count == 15) }

  @Test(arguments: SignatureVector.all)
  func everyStepAgreesWithBotocore(_ vector: SignatureVector) throws {
    let signer = RequestSigner(
      credentials: vector.credentials, region: vector.case.region, service: vector.case.service)
    let result = signer.sign(vector.request, at: try #require(SigningDate(vector.case.timestamp)))
    #expect(result.canonicalRequest == vector.expect.canonical_request)
    #expect(result.stringToSign == vector.expect.string_to_sign)
    #expect(result.signature == vector.expect.signature)
    #expect(result.signedHeaders == vector.expect.signed_headers)
    #expect(result.addedHeaders.last?.value == vector.expect.authorization)
  }

  @Test(arguments: SignatureVector.all)
  func everySignedVectorIsAccepted(_ vector: SignatureVector) throws {
    let date = try #require(SigningDate(vector.case.timestamp))
    var request = vector.request
    let signer = RequestSigner(
      credentials: vector.credentials, region: vector.case.region, service: vector.case.service)
    request.headers += signer.sign(request, at: date).addedHeaders
    try RequestVerifier(credentials: vector.credentials, service: vector.case.service).verify(request, at: date)
  }

  @Test(arguments: [
    ("", "/"), ("/", "/"), ("//", "/"), ("/a//b/", "/a/b/"), ("/a/./b/../c", "/a/c"), ("/../..", "/"), ("/a/..", "/"),
    ("/a%20b", "/a%2520b"), ("/ä", "/%C3%A4"), ("/a~b-c_d.e", "/a~b-c_d.e"),
  ])
  func pathsAreNormalizedAndEncoded(path: String, expected: String) {
    #expect(CanonicalRequest.path(path) == expected)
  }

  @Test func signingTwiceReplacesTheFirstSignature() throws {
    let vector = try #require(SignatureVector.all.first)
    let signer = RequestSigner(credentials: vector.credentials, region: "r", service: "ecs")
    let date = SigningDate(epochSeconds: 1_700_000_000)
    var request = vector.request
    let first = signer.sign(request, at: date)
    request.headers += first.addedHeaders
    #expect(signer.sign(request, at: date).signature == first.signature)
  }
}
