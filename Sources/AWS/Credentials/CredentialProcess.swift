import FoundationEssentials
import ProcessControl

/// Credentials that a program writes to its standard output: a profile's `credential_process`.
///
/// Source: "Process credential provider", AWS SDKs and Tools Reference Guide. The program is started without a shell.
struct CredentialProcess: Sendable, Equatable {
  /// The most bytes that are read from the program's standard output.
  static let maximumBytes = 64 << 10

  /// The setting's place: `profile 'x' (credential_process) in ~/.aws/config`.
  let source: String
  private let words: [String]

  /// - Throws: ``AWSError`` `configuration` for a command that cannot be split into words.
  init(command: String, source: String) throws(AWSError) {
    self.source = source
    do throws(ShellWords.Failure) {
      words = try ShellWords.split(command)
    } catch {
      throw .configuration("\(source): \(error)")
    }
    // The message does not repeat the assignment, whose value may be a secret.
    guard !words[0].contains("=") else {
      throw .configuration(
        "\(source): the command begins with a variable", hint: "no shell reads it: write 'env NAME=…'")
    }
  }

  func fetch(_ context: CredentialContext) async throws(AWSError) -> IssuedCredentials {
    let request = ProcessRequest(
      executable: words[0], arguments: Array(words.dropFirst()), environment: context.environment,
      standardInput: .null, diesWithParent: true)
    let result = await BoundedProcess.run(
      request, timeout: context.processTimeout, maximumBytes: Self.maximumBytes)
    let output: BoundedProcess.Output
    switch result {
    case .success(let value): output = value
    case .failure(.cancelled): throw .cancelledWait
    case .failure(let failure): throw .configuration("\(source): \(failure)")
    }
    guard output.status == .exited(0) else {
      let written = try? CredentialDocument(output.standardOutput, from: source)
      let secrets = ["SecretAccessKey", "SessionToken"].compactMap { written?[$0] }
      let redaction = Redaction(secrets, accessKeyID: written?["AccessKeyId"])
      let line = ErrorAnswer.firstLine(of: output.standardError, redaction)
      throw .configuration(
        "\(source): '\(words[0])' ended with \(output.status)\(line.isEmpty ? "" : ": \(line)")",
        hint: "run the command by itself")
    }
    let document = try CredentialDocument(output.standardOutput, from: source)
    guard document.version == 1 else {
      throw .configuration("\(source) gave no 'Version' 1", hint: "another version is not known here")
    }
    return try document.issued(token: "SessionToken", source: source)
  }
}

/// The JSON form of credentials that `credential_process`, container endpoints and instances share.
///
/// Errors name fields and never show values: a secret may stand in the wrong field.
struct CredentialDocument {
  private struct Body: Decodable {
    private struct Key: CodingKey {
      var stringValue: String
      var intValue: Int? { nil }
      init?(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    var texts: [String: String] = [:]
    var version: Int?
    var names: Set<String> = []

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Key.self)
      for key in container.allKeys where (try? container.decodeNil(forKey: key)) == false {
        names.insert(key.stringValue)
        texts[key.stringValue] = try? container.decode(String.self, forKey: key)
        if key.stringValue == "Version" { version = try? container.decode(Int.self, forKey: key) }
      }
    }
  }

  private let body: Body
  private let place: String

  /// - Parameter place: the document's author, the subject of every error.
  init(_ bytes: [UInt8], from place: String) throws(AWSError) {
    guard let body = try? JSONDecoder().decode(Body.self, from: Data(bytes)) else {
      throw .configuration("\(place) gave no JSON object")
    }
    self.body = body
    self.place = place
  }

  /// The number `Version`; `nil` where it is missing or not a number.
  var version: Int? { body.version }

  /// A text field; `nil` where it is missing, empty or not a text.
  subscript(_ name: String) -> String? { body.texts[name].flatMap { $0.isEmpty ? nil : $0 } }

  /// Reads the credentials.
  ///
  /// - Parameter token: the name of the token's field, `SessionToken` or `Token`.
  func issued(token: String, source: String) throws(AWSError) -> IssuedCredentials {
    var expiration: Int64?
    if body.names.contains("Expiration") {
      guard let end = self["Expiration"].flatMap(Timestamp.epochSeconds) else {
        throw .configuration(
          "\(place) gave an 'Expiration' that is no ISO 8601 or RFC 1123 time",
          hint: "it looks like 2026-01-31T23:59:59Z")
      }
      expiration = end
    }
    if body.names.contains(token), body.texts[token] == nil {
      throw .configuration("\(place) gave a '\(token)' that is no text")
    }
    let credentials = try AWSCredentials(
      accessKeyID: try required("AccessKeyId"), secretAccessKey: try required("SecretAccessKey"),
      sessionToken: self[token], source: source
    ).checked(named: ["AccessKeyId", "SecretAccessKey", token].map { "'\($0)' of \(place)" }, hint: nil)
    return IssuedCredentials(credentials: credentials, expiration: expiration)
  }

  private func required(_ name: String) throws(AWSError) -> String {
    guard let text = self[name] else { throw .configuration("\(place) gave no '\(name)'") }
    return text
  }
}
