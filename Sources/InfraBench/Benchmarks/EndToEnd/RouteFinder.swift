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
    var answer = await client.probeSession(userID: probeID)
    // Some proxies, haproxy among them, answer an upgrade without a key themselves.
    if case .success(let page) = answer, page.status == 400, page.isMarkup {
      answer = await client.probeSession(userID: probeID, hasKey: true)
    }
    let hasSession: Bool
    if let told = hasSessionSide(answer) {
      hasSession = told
    } else {
      // A gateway that answers otherwise has closed the probe without a byte. Where nothing answers, nothing is known: the
      // iterations will show what is wrong.
      hasSession = if case .success = await client.status() { false } else { true }
    }
    if hasSession { return .session }
    return hasAgents ? .agents : .status
  }

  /// Not a valid user id, and not `.` or `..`, which proxies take for a way through the path.
  static let probeID = ".infrabench-probe"

  /// What the answer to an upgrade that no WebSocket can come of tells; nil: it was no gateway that answered. A gateway that has
  /// `/session/` misses the key, refuses the id or the caller, or cannot serve anybody just now. One that hasn't knows no such
  /// path, sends its own page or the way to one (200, 302), or closes the connection without a word, as the laboratory's does:
  /// then a proxy before it answers with 502, 504 or a page of its own.
  static func hasSessionSide(_ answer: Result<GatewayClient.ProbeAnswer, GatewayError>) -> Bool? {
    switch answer {
    case .success(let answer) where [502, 504].contains(answer.status): nil
    case .success(let answer) where [101, 400, 401, 403, 426, 429].contains(answer.status) || isBusy(answer.status):
      answer.isMarkup ? nil : true
    case .success: false
    case .failure(let error) where ["closed", "reset"].contains(error.kind): false
    case .failure: true
    }
  }

  private static func isBusy(_ status: Int) -> Bool { (500...599).contains(status) && status != 501 }
}
