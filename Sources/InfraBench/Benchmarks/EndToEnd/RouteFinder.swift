import SessionGateway
import Transport

/// Finds out what a gateway lets a client see, without taking a task.
enum RouteFinder {
  /// Of the probe, in ns.
  private static let bound: UInt64 = 5_000_000_000

  static func find(_ session: GatewaySession, hasAgents: Bool) async -> EndToEndBenchmark.Route {
    let client = session.client(
      on: session.loops.executor(forUser: 0), timeout: min(session.timeout, bound))
    defer { client.close() }
    if hasSessionSide(await client.probeSession(userID: probeID)) { return .session }
    return hasAgents ? .agents : .status
  }

  /// Not a valid user id, and not `.` or `..`, which proxies take for a way through the path.
  static let probeID = ".infrabench-probe"

  /// What the answer to an upgrade that no WebSocket can come of tells. A gateway that has `/session/` misses the key, or
  /// refuses the id; one that hasn't knows no such path, or closes the connection without a word, as the laboratory's does.
  static func hasSessionSide(_ answer: Result<Int, GatewayError>) -> Bool {
    switch answer {
    case .success(let status): ![404, 405, 501].contains(status)
    case .failure(let error) where ["closed", "reset"].contains(error.kind): false
    // Nothing is known: the iterations will show what is wrong.
    case .failure: true
    }
  }
}
