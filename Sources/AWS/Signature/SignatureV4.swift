import Crypto
import FoundationEssentials

/// AWS Signature Version 4: a chain of HMAC-SHA256 over a canonical request.
/// Source: "Create a signed AWS API request" of the IAM user guide; every step is checked against botocore's answers.
enum SignatureV4 {
  static let algorithm = "AWS4-HMAC-SHA256"

  /// What a signing key is good for.
  struct Scope: Equatable {
    var day: String
    var region: String
    var service: String

    var text: String { "\(day)/\(region)/\(service)/aws4_request" }
  }

  static func hash(_ bytes: [UInt8]) -> String { Hexadecimal.text(SHA256.hash(data: bytes)) }

  static func stringToSign(canonicalRequest: String, date: SigningDate, scope: Scope) -> String {
    "\(algorithm)\n\(date)\n\(scope.text)\n\(hash(Array(canonicalRequest.utf8)))"
  }

  static func signature(of stringToSign: String, secretAccessKey: String, scope: Scope) -> String {
    var key = SymmetricKey(data: Array("AWS4\(secretAccessKey)".utf8))
    for part in [scope.day, scope.region, scope.service, "aws4_request"] {
      key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
    }
    return Hexadecimal.text(HMAC<SHA256>.authenticationCode(for: Array(stringToSign.utf8), using: key))
  }
}
