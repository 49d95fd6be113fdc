import FoundationEssentials

/// The URL that requests of a service go to.
public struct ServiceEndpoint: Sendable, Equatable {
  /// Scheme, host, port unless it is the scheme's default, and path; a trailing slash only for the root path.
  public let url: String
  /// The value libcurl sends as `Host`, which is signed.
  public let hostHeader: String
  /// The path, at least `/`; percent-encoded.
  public let path: String

  /// The endpoint on the service's own host.
  ///
  /// - Parameters:
  ///   - service: `ecs`, `logs`.
  ///   - region: a region's name; an unknown one belongs to the partition `aws`.
  ///   - usesFIPS: the endpoints with FIPS 140 modules, `ecs-fips.…`.
  ///   - usesDualStack: the endpoints that speak IPv6 too, `ecs.<region>.api.aws`.
  /// - Throws: ``AWSError`` `configuration` for a name that cannot be part of a host name.
  public init(
    service: String, region: String, usesFIPS: Bool = false, usesDualStack: Bool = false
  ) throws(AWSError) {
    guard Partition.isRegion(region) else {
      throw .configuration("'\(ErrorAnswer.printable(region))' is no region", hint: "write --region eu-west-1")
    }
    hostHeader = Partition(region: region).host(
      service: service, region: region, usesFIPS: usesFIPS, usesDualStack: usesDualStack)
    url = "https://\(hostHeader)/"
    path = "/"
  }

  /// An endpoint that replaces the service's own.
  ///
  /// - Parameter source: the setting that the error names, `--ecs-endpoint-url`.
  /// - Throws: ``AWSError`` `configuration` for any text but http(s)://host[:port][/path].
  public init(parsing text: String, source: String) throws(AWSError) {
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), let parsed = URL(string: text),
      let scheme = parsed.scheme?.lowercased(), scheme == "http" || scheme == "https", let host = parsed.host,
      !host.isEmpty
    else {
      throw .configuration("\(source) is no http or https URL", hint: "write it as http://127.0.0.1:5551")
    }
    let authority = text.dropFirst(scheme.count + 3).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard !authority.contains("@"), parsed.query == nil, parsed.fragment == nil, !authority.hasSuffix(":") else {
      throw .configuration("\(source) must have no user info, no query and no fragment")
    }
    guard !authority.contains("%") else { throw .configuration("\(source) names no proper host") }
    let defaultPort = scheme == "http" ? 80 : 443
    let port = parsed.port ?? defaultPort
    // `URL` has no port for a port number that overflows; the text shows that one was written.
    let isPortWritten = authority.hasSuffix("]") ? false : authority.contains(":")
    guard (1...65_535).contains(port), isPortWritten == (parsed.port != nil) else {
      throw .configuration("the port of \(source) is not in 1–65535")
    }
    let bareHost = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
    let name = bareHost.contains(":") ? "[\(bareHost)]" : bareHost
    hostHeader = port == defaultPort ? name : "\(name):\(port)"
    let parsedPath = parsed.path(percentEncoded: true)
    path = parsedPath.isEmpty ? "/" : parsedPath
    url = "\(scheme)://\(hostHeader)\(path)"
  }
}

extension ServiceEndpoint {
  /// The endpoint of a service, the strongest source first: flag, `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL`, the
  /// profile's `services` section, its `endpoint_url`, the service's own.
  ///
  /// With `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` only the flag and the service's own endpoint remain.
  /// `AWS_USE_FIPS_ENDPOINT` and `AWS_USE_DUALSTACK_ENDPOINT` choose among the service's own hosts.
  ///
  /// - Throws: ``AWSError`` `configuration` for a malformed URL or region, or a missing `services` section.
  public static func resolve(
    service: String, region: String, flag: String?, environment: [String: String], profile: SharedProfile?
  ) throws(AWSError) -> ServiceEndpoint {
    let override = Override(service: service, flag: flag, environment: environment, profile: profile)
    switch override {
    case .url(let text, let source): return try ServiceEndpoint(parsing: text, source: source)
    case .missingSection(let section):
      let section = ErrorAnswer.printable(section)
      throw .configuration(
        "profile '\(ErrorAnswer.printable(profile?.name ?? ""))' names the services section '\(section)', which does not exist",
        hint: "add the section [services \(section)] to the config file, or remove 'services'")
    case .none:
      func isSet(_ variable: String, _ setting: String) -> Bool {
        Override.isSet(variable, setting, environment, profile)
      }
      return try ServiceEndpoint(
        service: service, region: region, usesFIPS: isSet("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
        usesDualStack: isSet("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"))
    }
  }

  /// A setting that replaces a service's own endpoint.
  enum Override {
    case none
    case url(String, source: String)
    /// The profile names a `services` section that does not exist.
    case missingSection(String)

    /// Finds the override of the strongest source.
    init(service: String, flag: String?, environment: [String: String], profile: SharedProfile?) {
      let serviceVariable = "AWS_ENDPOINT_URL_\(service.uppercased())"
      var places: [(String?, String)] = [(flag, "--\(service)-endpoint-url")]
      if !Override.isSet(
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls", environment, profile)
      {
        if let profile, profile.serviceEndpoints == nil {
          self = .missingSection(profile["services"] ?? "")
          return
        }
        places += [
          (environment[serviceVariable], serviceVariable), (environment["AWS_ENDPOINT_URL"], "AWS_ENDPOINT_URL"),
          (profile?.serviceEndpoints?[service], "endpoint_url of the profile's service '\(service)'"),
          (profile?["endpoint_url"], "endpoint_url of the profile"),
        ]
      }
      self = .none
      for case (let text?, let source) in places where !text.isEmpty {
        self = .url(text, source: source)
        return
      }
    }

    /// The setting's place, for error messages.
    var source: String {
      switch self {
      case .none: "the region's endpoint"
      case .url(_, let source): source
      case .missingSection: "services of the profile"
      }
    }

    static func isSet(
      _ variable: String, _ setting: String, _ environment: [String: String], _ profile: SharedProfile?
    ) -> Bool {
      (environment[variable] ?? profile?[setting])?.lowercased() == "true"
    }
  }
}

/// A group of regions whose host names share their endings.
///
/// Source: botocore's `partitions.json`; the regions of `us-gov-*` share their names with `aws`.
public struct Partition: Sendable, Equatable {
  /// The second part of an ARN: `aws`, `aws-cn`, ….
  public var name: String
  /// The ending of the hosts' names, `amazonaws.com`.
  public var suffix: String
  /// The ending of the hosts that speak IPv6 too, `api.aws`.
  public var dualStackSuffix: String

  private static let commercial = Partition(name: "aws", suffix: "amazonaws.com", dualStackSuffix: "api.aws")

  private static let byPrefix: [(prefix: String, partition: Partition)] = [
    (
      "cn-",
      Partition(name: "aws-cn", suffix: "amazonaws.com.cn", dualStackSuffix: "api.amazonwebservices.com.cn")
    ),
    ("us-gov-", Partition(name: "aws-us-gov", suffix: "amazonaws.com", dualStackSuffix: "api.aws")),
    ("us-iso-", Partition(name: "aws-iso", suffix: "c2s.ic.gov", dualStackSuffix: "api.aws.ic.gov")),
    ("us-isob-", Partition(name: "aws-iso-b", suffix: "sc2s.sgov.gov", dualStackSuffix: "api.aws.scloud")),
    ("eu-isoe-", Partition(name: "aws-iso-e", suffix: "cloud.adc-e.uk", dualStackSuffix: "api.cloud-aws.adc-e.uk")),
    ("us-isof-", Partition(name: "aws-iso-f", suffix: "csp.hci.ic.gov", dualStackSuffix: "api.aws.hci.ic.gov")),
    ("eusc-", Partition(name: "aws-eusc", suffix: "amazonaws.eu", dualStackSuffix: "api.amazonwebservices.eu")),
  ]

  /// A region's partition; an unknown region belongs to `aws`.
  public init(region: String) {
    self = Partition.byPrefix.first { region.hasPrefix($0.prefix) }?.partition ?? Partition.commercial
  }

  private init(name: String, suffix: String, dualStackSuffix: String) {
    self.name = name
    self.suffix = suffix
    self.dualStackSuffix = dualStackSuffix
  }

  /// Whether `name` has a region's form. The check matters because the name becomes a part of a host name.
  static func isRegion(_ name: String) -> Bool {
    let isLabel = name.utf8.allSatisfy {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        || $0 == UInt8(ascii: "-")
    }
    return isLabel && (1...63).contains(name.utf8.count) && !name.hasPrefix("-") && !name.hasSuffix("-")
  }

  /// A service's host in a region.
  func host(service: String, region: String, usesFIPS: Bool, usesDualStack: Bool) -> String {
    // STS has no separate FIPS hosts in GovCloud, because its ordinary hosts are FIPS hosts (botocore's rules of STS).
    let isPlainlyFIPS = service == "sts" && name == "aws-us-gov" && !usesDualStack
    let label = usesFIPS && !isPlainlyFIPS ? "\(service)-fips" : service
    return "\(label).\(region).\(usesDualStack ? dualStackSuffix : suffix)"
  }
}
