import TextFormatting
import Transport

/// The confirmation of `--confirm-drain`: warm tasks are taken from the users of a gateway only where its host's name was
/// written a second time. A gateway on loopback and the embedded one have no users.
extension OptionReader {
  /// Checks the hosts that were confirmed against those of the target; returns the gateways whose drain is not
  /// confirmed.
  mutating func unconfirmedDrains(of target: TargetSettings, confirmed: [String]) -> [Endpoint] {
    guard case .remote(let gateway) = target.gateway else {
      if !confirmed.isEmpty {
        problems.add("--confirm-drain", "the embedded gateway needs none: leave it out, or give --gateway-url")
      }
      return []
    }
    let gateways = [gateway] + (target.second.map { [$0.endpoint] } ?? [])
    let hosts = gateways.map(\.host)
    let strange = confirmed.filter { name in !hosts.contains { $0.lowercased() == name.lowercased() } }
    for name in strange {
      let named = PlainText.list(hosts.map { "'\($0)'" })
      problems.add(
        "--confirm-drain",
        hosts.count == 1 ? "'\(name)' is not the gateway's host, \(named)" : "'\(name)' is no gateway's host, \(named)")
    }
    // With a single gateway, the other name was meant for it.
    if hosts.count == 1, !strange.isEmpty { return [] }
    var known = Set(confirmed.map { $0.lowercased() })
    return gateways.filter { !$0.isLoopback && known.insert($0.host.lowercased()).inserted }
  }
}
