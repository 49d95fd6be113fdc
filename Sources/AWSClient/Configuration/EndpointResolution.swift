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
    func isSet(_ variable: String, _ setting: String) -> Bool {
      (environment[variable] ?? profile?[setting])?.lowercased() == "true"
    }
    let serviceVariable = "AWS_ENDPOINT_URL_\(service.uppercased())"
    var overrides: [(String?, String)] = [(flag, "--\(service)-endpoint-url")]
    if !isSet("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls") {
      if let profile, profile.serviceEndpoints == nil {
        let section = ErrorAnswer.printable(profile["services"] ?? "")
        throw .configuration(
          "profile '\(ErrorAnswer.printable(profile.name))' names the services section '\(section)', which does not exist",
          hint: "add the section [services \(section)] to the config file, or remove 'services'")
      }
      overrides += [
        (environment[serviceVariable], serviceVariable), (environment["AWS_ENDPOINT_URL"], "AWS_ENDPOINT_URL"),
        (profile?.serviceEndpoints?[service], "endpoint_url of the profile's service '\(service)'"),
        (profile?["endpoint_url"], "endpoint_url of the profile"),
      ]
    }
    for case (let text?, let source) in overrides where !text.isEmpty {
      return try ServiceEndpoint(parsing: text, source: source)
    }
    return try ServiceEndpoint(
      service: service, region: region, usesFIPS: isSet("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
      usesDualStack: isSet("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"))
  }
}
