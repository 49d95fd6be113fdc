/// What both operations answer:
/// `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>…`.
enum RoleAnswer {
  /// Something is missing that belongs there.
  struct Incomplete: Error {}

  /// - Throws: ``XMLLeaves/Refusal`` or ``Incomplete`` for anything else; neither repeats a text of the body.
  static func issued(_ body: [UInt8], operation: String, source: String) throws -> IssuedCredentials {
    let document = try XMLLeaves(body)
    func text(_ name: String) throws -> String {
      let text = document.texts["\(operation)Result/Credentials/\(name)"]
      guard document.root == "\(operation)Response", let text, !text.isEmpty else { throw Incomplete() }
      return text
    }
    guard let expiration = Timestamp.epochSeconds(try text("Expiration")) else { throw Incomplete() }
    return IssuedCredentials(
      credentials: AWSCredentials(
        accessKeyID: try text("AccessKeyId"), secretAccessKey: try text("SecretAccessKey"),
        sessionToken: try text("SessionToken"), source: source),
      expiration: expiration)
  }
}
