import ProcessControl

/// Credentials that a program writes to its standard output: a profile's `credential_process`.
///
/// Source: "Process credential provider", AWS SDKs and Tools Reference Guide. The program is started without a shell.
struct CredentialProcess: Sendable, Equatable {
  /// Bound of the program's standard output.
  static let maximumBytes = 64 << 10

  /// Where the profile is: `profile 'x' (credential_process) in ~/.aws/config`.
  let source: String
  private let words: [String]

  /// - Throws: ``AWSError`` `configuration` for a command that cannot be split into words.
  init(command: String, source: String) throws(AWSError) {
    self.source = source
    do throws(CommandWords.Failure) {
      words = try CommandWords.split(command)
    } catch {
      throw .configuration("\(source): \(error)")
    }
    // Not shown: its value may be a secret.
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
      request, timeoutMilliseconds: context.processTimeoutMilliseconds, maximumBytes: Self.maximumBytes)
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
