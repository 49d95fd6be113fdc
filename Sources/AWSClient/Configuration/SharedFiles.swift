/// The shared `config` and `credentials` files: where they are, and what is in them.
struct SharedFiles: Sendable {
  let configPath: String
  let credentialsPath: String
  private let readFile: @Sendable (String) -> String?

  init(environment: [String: String], readFile: @escaping @Sendable (String) -> String?) {
    let home = environment["HOME"] ?? "~"
    func expanded(_ path: String) -> String { path.hasPrefix("~/") ? home + path.dropFirst() : path }
    configPath = expanded(environment["AWS_CONFIG_FILE"] ?? "~/.aws/config")
    credentialsPath = expanded(environment["AWS_SHARED_CREDENTIALS_FILE"] ?? "~/.aws/credentials")
    self.readFile = readFile
  }

  func defaultProfile(_ environment: [String: String]) -> String { environment["AWS_PROFILE"] ?? "default" }

  func profile(named name: String) -> SharedProfile? {
    SharedProfile(name: name, config: readFile(configPath), credentials: readFile(credentialsPath))
  }

  /// The profile in force; one asked for by name must exist.
  func profile(flag: String?, environment: [String: String]) throws(AWSError) -> SharedProfile? {
    let profile = profile(named: flag ?? defaultProfile(environment))
    if profile == nil, let asked = flag ?? environment["AWS_PROFILE"] {
      throw .configuration(
        "there is no profile '\(ErrorAnswer.printable(asked))' in \(configPath) or \(credentialsPath)",
        hint: "check \(flag == nil ? "AWS_PROFILE" : "--profile")")
    }
    return profile
  }

  /// A file's first line that has anything on it, as token files have one; `nil` where there is none.
  func token(in path: String) -> String? {
    readFile(path)?.split(whereSeparator: \.isNewline).first { line in line.contains { !$0.isWhitespace } }
      .map { line in
        String(line.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
      }
  }

  /// Why the files have no profile of this name, in words.
  func absence(of name: String) -> String {
    let found = [configPath, credentialsPath].filter { readFile($0) != nil }
    guard !found.isEmpty else { return "neither \(configPath) nor \(credentialsPath) can be read" }
    return "there is no profile '\(ErrorAnswer.printable(name))' in \(found.joined(separator: " or "))"
  }
}
