import FoundationEssentials

/// Hosts that are reached directly whatever the proxy variables say: this machine, and the link-local addresses where
/// AWS's metadata and container credentials live. A proxy could neither reach them nor be trusted with them.
enum ProxyExemption {
  static func applies(toURL url: String) -> Bool {
    guard let host = URL(string: url)?.host else { return false }
    return applies(toHost: host)
  }

  static func applies(toHost host: String) -> Bool {
    var name = host.lowercased()
    if name.hasPrefix("["), name.hasSuffix("]") { name = String(name.dropFirst().dropLast()) }
    if name == "localhost" || name.hasSuffix(".localhost") || name == "::1" { return true }
    // fe80::/10, and fd00:ec2:: of the IPv6 metadata endpoints.
    if name.contains(":") {
      return ["fe8", "fe9", "fea", "feb"].contains { name.hasPrefix($0) } || name.hasPrefix("fd00:ec2:")
    }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false).compactMap { UInt8($0) }
    return parts.count == 4 && name.split(separator: ".").count == 4
      && (parts[0] == 127 || (parts[0] == 169 && parts[1] == 254))
  }
}
