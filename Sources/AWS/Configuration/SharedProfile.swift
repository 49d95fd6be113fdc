/// One profile of the shared `config` and `credentials` files, the latter's values winning.
public struct SharedProfile: Sendable, Equatable {
  /// Its name.
  public var name: String
  /// Settings by name; nested ones (`s3 =` and the indented lines after it) are left out.
  public var settings: [String: String]
  /// What the `config` file alone says, and the `credentials` file alone: a key pair is never put together of both.
  let inConfig: [String: String]
  let inCredentials: [String: String]
  /// `endpoint_url` by service, of the section that `services` names; `nil` where that section does not exist.
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
