package import NIOCore

/// Decides the order in which a user tries a host's addresses, and which addresses are left out. Pure: it makes no name
/// lookup and no connection.
///
/// User n begins with address n mod count, so that all addresses get equal shares. If an address refuses, the user
/// tries the next one. An address that has failed and never connected is left out as soon as another address has
/// connected: on many machines `localhost` is also ::1, where often no server listens.
package struct AddressRotation: Sendable {
  /// The outcomes of a run's attempts at one address.
  private struct Seen {
    var connections = 0
    var failures = 0
    /// The reason of the first failure, for people.
    var reason = ""
  }

  /// The addresses in the resolver's order, each once.
  package private(set) var addresses: [SocketAddress] = []
  private var seen: [SocketAddress: Seen] = [:]

  package init() {}

  /// Takes the result of a name lookup. Outcomes of addresses that are still listed are kept.
  package mutating func found(_ found: [SocketAddress]) {
    var known: Set<SocketAddress> = []
    addresses = found.filter { known.insert($0).inserted }
  }

  /// The number of addresses in rotation. It must be cheap: it is read with each task that a user is given.
  package var usableCount: Int {
    addresses.count < 2 || seen.isEmpty ? addresses.count : addresses.count { !isLeftOut($0) }
  }

  /// The order in which the user at place `turn` tries the addresses.
  package func order(turn: Int) -> [SocketAddress] {
    let usable = seen.isEmpty ? addresses : addresses.filter { !isLeftOut($0) }
    guard usable.count > 1 else { return usable }
    let first = turn % usable.count
    return Array(usable[first...] + usable[..<first])
  }

  /// Whether an address has ever connected.
  package func hasConnected(_ address: SocketAddress) -> Bool { seen[address].map { $0.connections > 0 } ?? false }

  /// Notes that an address has connected.
  package mutating func connected(_ address: SocketAddress) { seen[address, default: Seen()].connections += 1 }

  /// Notes that an address could not be connected to, and why.
  package mutating func failed(_ address: SocketAddress, _ reason: String) {
    if seen[address]?.failures ?? 0 == 0 { seen[address, default: Seen()].reason = reason }
    seen[address, default: Seen()].failures += 1
  }

  private func isLeftOut(_ address: SocketAddress) -> Bool {
    guard let own = seen[address], own.connections == 0, own.failures > 0 else { return false }
    return seen.contains { $0.value.connections > 0 }
  }

  /// Notes on a host with several addresses: how many addresses the connections used, which one was left out, and whose
  /// failures made users try another one.
  package func notes(host: String) -> [String] {
    let all = addresses + seen.keys.filter { !addresses.contains($0) }.sorted { Self.text($0) < Self.text($1) }
    guard all.count > 1, all.contains(where: hasConnected) else { return [] }
    let used = all.filter(hasConnected)
    var notes: [String] = []
    if used.count > 1 {
      let shares = used.prefix(Self.shown).map { "\(Self.text($0)) \(seen[$0]?.connections ?? 0)" }
      let rest = used.count > Self.shown ? ", …" : ""
      notes.append(
        "the users went over \(used.count) addresses of \(host) in turn; connections: "
          + "\(shares.joined(separator: ", "))\(rest)")
    }
    let dead = all.filter(isLeftOut)
    if !dead.isEmpty {
      let names = dead.prefix(Self.shown).map { "\(Self.text($0)) (\(seen[$0]?.reason ?? ""))" }
      let rest = dead.count > Self.shown ? ", …" : ""
      notes.append(
        "\(host) is also \(names.joined(separator: ", "))\(rest): nothing connected there in this run, and it was left out"
      )
    }
    for address in used.filter({ seen[$0]?.failures ?? 0 > 0 }).prefix(Self.shown) {
      let (number, reason) = (seen[address]?.failures ?? 0, seen[address]?.reason ?? "")
      notes.append(
        "\(number) \(number == 1 ? "connection" : "connections") to \(Self.text(address)) failed (\(reason)) and went to "
          + "another address of \(host) where there was one: connect is the time of the one that took them")
    }
    return notes
  }

  /// The most addresses that a note names.
  private static let shown = 8

  /// An address without its port.
  static func text(_ address: SocketAddress) -> String { address.ipAddress ?? "?" }
}
