import Glibc

/// The shared `config` and `credentials` files: where they are, and what is in them.
struct SharedFiles: Sendable {
  let configPath: String
  let credentialsPath: String
  private let environment: [String: String]
  private let readFile: @Sendable (String) -> String?

  /// - Parameter environment: without empty variables.
  init(environment: [String: String], readFile: @escaping @Sendable (String) -> String?) {
    func expanded(_ path: String) -> String {
      Self.expandingHome(Self.expandingVariables(path, environment), environment)
    }
    configPath = expanded(environment["AWS_CONFIG_FILE"] ?? "~/.aws/config")
    credentialsPath = expanded(environment["AWS_SHARED_CREDENTIALS_FILE"] ?? "~/.aws/credentials")
    self.environment = environment
    self.readFile = readFile
  }

  /// The profile that the environment names, and the variable that names it.
  static func askedProfile(_ environment: [String: String]) -> (name: String, variable: String)? {
    for variable in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
      if let name = environment[variable], !name.isEmpty { return (name, variable) }
    }
    return nil
  }

  func defaultProfile(_ environment: [String: String]) -> String { Self.askedProfile(environment)?.name ?? "default" }

  func profile(named name: String) -> SharedProfile? {
    SharedProfile(name: name, config: readFile(configPath), credentials: readFile(credentialsPath))
  }

  /// The profile in force; a profile named by a flag or variable must exist.
  func profile(flag: String?, environment: [String: String]) throws(AWSError) -> SharedProfile? {
    let asked = flag.map { (name: $0, variable: "--profile") } ?? Self.askedProfile(environment)
    let profile = profile(named: asked?.name ?? "default")
    if profile == nil, let (name, source) = asked {
      throw .configuration(
        "there is no profile '\(ErrorAnswer.printable(name))' in \(configPath) or \(credentialsPath)",
        hint: "check \(source)" + (name.contains(where: \.isNewline) ? ", which has a line break in it" : ""))
    }
    return profile
  }

  /// A file's first line that is not blank, which is the token in a token file; `nil` where there is no such line.
  func token(in path: String) -> String? {
    readFile(expandingHome(path))?.split(whereSeparator: \.isNewline).first { line in line.contains { !$0.isWhitespace }
    }
    .map { line in
      String(line.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
  }

  /// Why the files have no profile of this name, for error messages.
  func absence(of name: String) -> String {
    let found = [configPath, credentialsPath].filter { readFile($0) != nil }
    guard !found.isEmpty else { return "neither \(configPath) nor \(credentialsPath) can be read" }
    return "there is no profile '\(ErrorAnswer.printable(name))' in \(found.joined(separator: " or "))"
  }

  /// A path with its leading `~` replaced by the home directory.
  func expandingHome(_ path: String) -> String { Self.expandingHome(path, environment) }

  private static func expandingHome(_ path: String, _ environment: [String: String]) -> String {
    guard path == "~" || path.hasPrefix("~/") else { return path }
    return (environment["HOME"] ?? homeOfUser ?? "~") + path.dropFirst()
  }

  /// The home directory in the user database: services and scheduled jobs often have no `HOME`.
  private static var homeOfUser: String? {
    getpwuid(getuid()).flatMap { $0.pointee.pw_dir }.map { String(cString: $0) }
  }

  /// A path with `$NAME` and `${NAME}` replaced, as botocore does, because programs that read files of variables
  /// without a shell leave such names in them. A variable that is not set stays in the path as written.
  private static func expandingVariables(_ path: String, _ environment: [String: String]) -> String {
    var result = ""
    var rest = path[...]
    while let dollar = rest.firstIndex(of: "$") {
      result += rest[..<dollar]
      rest = rest[dollar...]
      let isBraced = rest.dropFirst().first == "{"
      let start = rest.dropFirst(isBraced ? 2 : 1)
      let name = start.prefix { isBraced ? $0 != "}" : $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
      let end = start[name.endIndex...].dropFirst(isBraced ? 1 : 0)
      let isWhole = !name.isEmpty && (!isBraced || name.endIndex < start.endIndex)
      if isWhole, let value = environment[String(name)] {
        result += value
        rest = end
      } else {
        result += "$"
        rest = rest.dropFirst()
      }
    }
    return result + rest
  }
}

/// One profile of the shared `config` and `credentials` files; the `credentials` file wins.
public struct SharedProfile: Sendable, Equatable {
  /// The name of the profile.
  public var name: String
  /// Settings by name; nested ones (`s3 =` and the indented lines after it) are left out.
  public var settings: [String: String]
  /// The settings of each file alone: the two halves of a key pair must come from one file.
  let inConfig: [String: String]
  let inCredentials: [String: String]
  /// `endpoint_url` by service, from the section that `services` names; `nil` where that section does not exist.
  let serviceEndpoints: [String: String]?

  /// One setting, `nil` where it is missing or empty.
  public subscript(_ setting: String) -> String? { settings[setting].flatMap { $0.isEmpty ? nil : $0 } }

  /// Finds a profile in the two files' texts; `nil` where neither has it.
  public init?(name: String, config: String?, credentials: String?) {
    let configFile = config.map { IniFile($0) }
    let section = configFile?.profile(name)
    let keys = credentials.flatMap { IniFile($0)[name] }
    guard section != nil || keys != nil else { return nil }
    self.name = name
    inConfig = section?.settings ?? [:]
    inCredentials = keys?.settings ?? [:]
    settings = inConfig.merging(inCredentials) { $1 }
    guard let services = settings["services"], !services.isEmpty else {
      serviceEndpoints = [:]
      return
    }
    serviceEndpoints = configFile?.services(services)?.nested.compactMapValues { $0["endpoint_url"] }
  }
}
