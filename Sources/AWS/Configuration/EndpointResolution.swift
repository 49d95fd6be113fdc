extension ServiceEndpoint {
  /// The endpoint of a service, the strongest source first: flag, `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL`, the
  /// profile's `services` section, its `endpoint_url`, the service's own.
  ///
  /// `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` leaves the flag and the service's own; `AWS_USE_FIPS_ENDPOINT` and
  /// `AWS_USE_DUALSTACK_ENDPOINT` decide between the service's own hosts.
  ///
  /// - Throws: ``AWSError`` `configuration` for a malformed URL or region, and a `services` section that does not exist.
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

  /// What replaces a service's own endpoint.
  enum Override {
    case none
    case url(String, source: String)
    /// The profile names a `services` section that does not exist.
    case missingSection(String)

    /// Finds the strongest one.
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

    /// Where it stands.
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
