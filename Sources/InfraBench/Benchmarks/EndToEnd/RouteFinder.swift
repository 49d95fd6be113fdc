import SessionGateway
import Transport

/// Finds out what a gateway lets a client see, without taking a task.
enum RouteFinder {
  static func find(_ session: GatewaySession, hasAgents: Bool) async -> EndToEndBenchmark.Route {
    if await hasSessionSide(session) { return .session }
    return hasAgents ? .agents : .status
  }

  /// Not a valid user id, and not `.` or `..`, which proxies take for a way through the path.
  static let probeID = ".infrabench-probe"

  /// A gateway that has `/session/` refuses the id; one that hasn't knows no such path.
  private static func hasSessionSide(_ session: GatewaySession) async -> Bool {
    do throws(WebSocketError) {
      let connection = try await session.openSession(
        userID: probeID, on: session.loops.executor(forUser: 0))
      connection.abort()
      return true
    } catch {
      switch error {
      case .upgradeRefused(let status, _): return ![404, 405, 426, 501].contains(status)
      // Nothing is known: the iterations will show what is wrong.
      default: return true
      }
    }
  }
}
