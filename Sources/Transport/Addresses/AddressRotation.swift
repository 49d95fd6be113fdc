package import NIOCore

/// Which of a host's addresses a user begins with, and which are left out. Pure: no look-up, no connection.
///
/// User n begins with address n mod count, so that all addresses get the same share. One that refuses is followed by the
/// next. One that has failed and never connected is left out as soon as another one has connected: `localhost` is also ::1
/// on many machines, where nobody may listen.
package struct AddressRotation: Sendable {
  /// What a run has seen of an address.
  private struct Seen {
    var connections = 0
    var failures = 0
    /// Why it failed first, for people.
    var reason = ""
  }

  /// In the resolver's order, each once.
  package private(set) var addresses: [SocketAddress] = []
  private var seen: [SocketAddress: Seen] = [:]

  package init() {}

  /// Notes what a look-up has found. What was seen of addresses that are still there is kept.
  package mutating func found(_ found: [SocketAddress]) {
    var known: Set<SocketAddress> = []
    addresses = found.filter { known.insert($0).inserted }
  }

  /// How many are taken in turn. It is asked for with each task that a user is given.
  package var usableCount: Int {
    addresses.count < 2 || seen.isEmpty ? addresses.count : addresses.count { !isLeftOut($0) }
  }

  /// In which order a user tries the addresses.
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

  /// What a reader of the figures must know of a host with several addresses: over how many the connections went, which was
  /// left out, and whose failures sent users to another one.
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

  /// How many addresses a note names.
  private static let shown = 8

  /// An address without its port.
  static func text(_ address: SocketAddress) -> String { address.ipAddress ?? "?" }
}
