import Foundation
import Synchronization

/// A gateway that gives everybody a new task, and keeps a ledger of the tasks that were not given back, whether or not
/// its answers were heard.
final class LedgerGateway: Sendable {
  struct Rules: Sendable, Equatable {
    enum Releases: Sendable {
      case done
      /// Of each third task, as by another node behind a balancer: it stays held.
      case refusedAtTimes
      /// Never answered, and not done.
      case unanswered
    }

    /// How long the answer to an acquire takes, in seconds; the task is given out when the request comes.
    var acquireSeconds = 0.0
    /// Whether each fifth acquire is never answered, although its task is given out.
    var muteAcquires = false
    var releases = Releases.done
  }

  private final class Ledger: Sendable {
    let given = Counting()
    let held = Mutex<Set<String>>([])
  }

  private let server: ScriptedGateway
  private let ledger: Ledger

  init(_ rules: Rules) async throws {
    let ledger = Ledger()
    self.ledger = ledger
    server = try await ScriptedGateway { Self.answer($0, rules, ledger) }
  }

  var url: String { server.url }
  /// How many requests have come.
  var requestCount: Int { server.requests.count }
  /// Tasks that were given out and not given back.
  var held: Set<String> { ledger.held.withLock { $0 } }

  func stop() async { await server.stop() }

  private static func answer(
    _ request: ScriptedGateway.Request, _ rules: Rules, _ ledger: Ledger
  ) -> ScriptedGateway.Answer {
    switch request.line {
    case "GET /api/status": return .json(status(ledger.held.withLock { $0 }))
    case "POST /api/acquire":
      let number = ledger.given.next()
      ledger.held.withLock { _ = $0.insert("t\(number)") }
      if rules.muteAcquires, number.isMultiple(of: 5) { return .silence }
      return .late(#"{"success": true, "taskId": "t\#(number)", "source": "warm"}"#, seconds: rules.acquireSeconds)
    case "POST /api/release":
      guard rules.releases != .unanswered else { return .silence }
      let input = (try? JSONSerialization.jsonObject(with: Data(request.body.utf8))) as? [String: Any] ?? [:]
      let task = input["taskId"] as? String ?? ""
      if rules.releases == .refusedAtTimes, Int(task.dropFirst())?.isMultiple(of: 3) ?? true {
        return .json(#"{"success": false, "error": "unknown task"}"#, status: 404)
      }
      ledger.held.withLock { _ = $0.remove(task) }
      return .json(#"{"success": true}"#)
    default: return .json("{}", status: 404)
    }
  }

  private static func status(_ held: Set<String>) -> String {
    let tasks =
      (1...5).map { #"{"taskId": "w\#($0)", "state": "warm"}"# }
      + held.sorted().map { #"{"taskId": "\#($0)", "state": "assigned", "userId": "u"}"# }
    return #"{"warmCount": 5, "assignedCount": \#(held.count), "tasks": [\#(tasks.joined(separator: ", "))]}"#
  }
}
