/// The parts of `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.
struct AuthorizationHeader: Equatable {
  var accessKeyID: String
  var scope: SignatureV4.Scope
  var signedHeaders: [String]
  var signature: String

  /// - Throws: ``SignatureRejection`` `IncompleteSignatureException` that names what is missing or malformed.
  init(parsing text: String) throws(SignatureRejection) {
    guard let space = text.firstIndex(of: " "), text[..<space] == SignatureV4.algorithm else {
      throw .incomplete("Unsupported AWS 'algorithm': '\(text.prefix { $0 != " " }.prefix(40))'.")
    }
    var parameters: [Substring: Substring] = [:]
    for part in text[space...].split(separator: ",") {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = pair[0].drop { $0 == " " }
      guard pair.count == 2, parameters.updateValue(pair[1], forKey: name) == nil else {
        throw .incomplete("'\(name.prefix(40))' is not a valid key=value pair in the Authorization header.")
      }
    }
    guard let credential = parameters["Credential"], let headers = parameters["SignedHeaders"],
      let signature = parameters["Signature"]
    else {
      let missing = ["Credential", "SignedHeaders", "Signature"].filter { parameters[$0[...]] == nil }
      throw .incomplete(
        missing.map { "Authorization header requires '\($0)' parameter." }.joined(separator: " "))
    }
    let scope = credential.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard scope.count == 5, scope[4] == "aws4_request", scope.allSatisfy({ !$0.isEmpty }) else {
      throw .incomplete("Credential must have exactly 5 slash-delimited elements and end with 'aws4_request'.")
    }
    accessKeyID = scope[0]
    self.scope = SignatureV4.Scope(day: scope[1], region: scope[2], service: scope[3])
    signedHeaders = headers.split(separator: ";").map { $0.lowercased() }
    self.signature = String(signature)
  }
}
