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

  /// What the answer to an upgrade that no WebSocket can come of tells. A gateway that has `/session/` misses the key,
  /// refuses the id or the caller, or cannot serve anybody just now. One that hasn't knows no such path, sends its own page
  /// or the way to one (200, 302), or closes the connection without a word, as the laboratory's does.
  static func hasSessionSide(_ answer: Result<Int, GatewayError>) -> Bool {
    switch answer {
    case .success(let status):
      [101, 400, 401, 403, 426, 429].contains(status) || (500...599).contains(status) && status != 501
    case .failure(let error) where ["closed", "reset"].contains(error.kind): false
    // Nothing is known: the iterations will show what is wrong.
    case .failure: true
    }
  }
}
