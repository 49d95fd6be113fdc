/// Something a user wrote, in a flag, a variable or a shared file, that cannot be right.
public struct ConfigurationProblem: Sendable, Equatable {
  /// Where it stands: `--region`, `AWS_REGION`, `endpoint_url of the profile`.
  public var source: String
  /// What is wrong with it, and what to write instead.
  public var message: String
}

extension AWSConfiguration {
  /// Everything that is wrong with profile, region and endpoints; credentials are not looked at.
  ///
  /// Reads the shared files, and sends nothing.
  ///
  /// - Parameters:
  ///   - environment: of the process.
  ///   - readFile: a file's text, `nil` where there is none.
  public static func problems(
    flags: Flags, environment: [String: String],
    readFile: @escaping @Sendable (String) -> String? = AWSConfiguration.readText
  ) -> [ConfigurationProblem] {
    var search = ProblemSearch(flags, environment.filter { !$0.value.isEmpty }, readFile)
    return search.run()
  }

  /// The strongest region that is written anywhere, and where.
  static func region(
    flags: Flags, variables: [String: String], profile: SharedProfile?
  ) -> (name: String, source: String)? {
    let variableNames = ["REGION", "AWS_REGION", "AWS_DEFAULT_REGION"]
    let places =
      [(flags.region, "--region")] + variableNames.map { (variables[$0], $0) }
      + [(profile?["region"], "region of the profile")]
    for case (let name?, let source) in places where !name.isEmpty { return (name, source) }
    return nil
  }

  /// What helps where ``region(flags:variables:profile:)`` finds nothing.
  static func regionHint(_ files: SharedFiles) -> String {
    "give --region, or set REGION, AWS_REGION, AWS_DEFAULT_REGION or 'region' in \(files.configPath)"
  }
}

private struct ProblemSearch {
  let flags: AWSConfiguration.Flags
  /// Without empty ones.
  let variables: [String: String]
  let files: SharedFiles
  var found: [ConfigurationProblem] = []

  init(
    _ flags: AWSConfiguration.Flags, _ variables: [String: String],
    _ readFile: @escaping @Sendable (String) -> String?
  ) {
    self.flags = flags
    self.variables = variables
    files = SharedFiles(environment: variables, readFile: readFile)
  }

  mutating func run() -> [ConfigurationProblem] {
    let profile = profile()
    // A region that is wrong must not hide what else is.
    let region = region(profile) ?? "us-east-1"
    if flags.ecsEndpointURL?.isEmpty == true { add("--ecs-endpoint-url", "it is empty: write a URL") }
    for (service, flag) in [("ecs", flags.ecsEndpointURL), ("sts", nil)] {
      let override = ServiceEndpoint.Override(service: service, flag: flag, environment: variables, profile: profile)
      do throws(AWSError) {
        _ = try ServiceEndpoint.resolve(
          service: service, region: region, flag: flag, environment: variables, profile: profile)
      } catch {
        add(override.source, [error.message, error.hint].compactMap { $0 }.joined(separator: "; "))
      }
    }
    return found
  }

  private mutating func profile() -> SharedProfile? {
    if flags.profile?.isEmpty == true {
      add("--profile", "it is empty: write a name")
      return nil
    }
    do throws(AWSError) {
      return try files.profile(flag: flags.profile, environment: variables)
    } catch {
      add(
        flags.profile == nil ? SharedFiles.askedProfile(variables)?.variable ?? "AWS_PROFILE" : "--profile",
        error.message)
      return nil
    }
  }

  /// The region; nil where there is none that could be one.
  private mutating func region(_ profile: SharedProfile?) -> String? {
    if flags.region?.isEmpty == true {
      add("--region", "it is empty: write a name")
      return nil
    }
    guard let (name, source) = AWSConfiguration.region(flags: flags, variables: variables, profile: profile) else {
      add("--region", "no region is set: \(AWSConfiguration.regionHint(files))")
      return nil
    }
    if Partition.isRegion(name) { return name }
    add(source, "'\(ErrorAnswer.printable(name))' is no region: write a name such as eu-west-1")
    return nil
  }

  /// Notes a problem once: what stands for two services is one.
  private mutating func add(_ source: String, _ message: String) {
    let problem = ConfigurationProblem(source: source, message: message)
    if !found.contains(problem) { found.append(problem) }
  }
}
