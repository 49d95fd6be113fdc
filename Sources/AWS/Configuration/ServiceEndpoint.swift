import FoundationEssentials

/// The URL requests of a service go to.
public struct ServiceEndpoint: Sendable, Equatable {
  /// Scheme, host, port unless it is the scheme's own, and path; no trailing slash but the root's.
  public let url: String
  /// What libcurl puts into `Host`, which is signed.
  public let hostHeader: String
  /// The path, at least `/`; percent-encoded.
  public let path: String

  /// The service's own host.
  ///
  /// - Parameters:
  ///   - service: `ecs`, `logs`.
  ///   - region: a region's name; one that nobody knows counts to the partition `aws`.
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
  /// - Parameter source: what to blame in the error, `--ecs-endpoint-url`.
  /// - Throws: ``AWSError`` `configuration` for anything but http(s)://host[:port][/path].
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
    // What is written behind the host but overflows is no port to `URL`.
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
