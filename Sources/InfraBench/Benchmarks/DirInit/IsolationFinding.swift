import LoadEngine
import UserWorkspace

/// Whether one user's files are closed to another: what the result says of it.
struct IsolationFinding: Sendable {
  let text: String
  /// One sentence each.
  let violations: [String]
  /// Whether two user ids really tried.
  let isTested: Bool

  /// Tries it below `root`; with no user ids, or when the run is over, there is only the reason to tell.
  static func find(
    in root: String, as ids: DirInitSettings.UserIDs?, _ bench: Bench
  ) async -> IsolationFinding {
    guard let ids else { return notTested("needs two user ids: --as-uid A,B, as root") }
    guard !Task.isCancelled else { return notTested("the run was interrupted") }
    let report: IsolationReport
    do throws(WorkspaceError) {
      report = try await IsolationProbe(root: root, owner: ids.owner, intruder: ids.intruder).run()
    } catch {
      return notTested(error.description)
    }
    for leftover in report.leftovers { bench.note("the isolation test could not remove '\(leftover)' in \(root)") }
    switch report.result {
    case .notTested(let reason): return notTested(reason)
    case .tested(let violations):
      bench.note(
        "isolation was tested between user ids: tasks that run under one and the same are not isolated by modes")
      return IsolationFinding(
        text: "tested as user ids \(ids.owner) and \(ids.intruder): "
          + (violations.isEmpty ? "no violation" : "\(violations.count) violations"),
        violations: violations.map(\.description), isTested: true)
    }
  }

  private static func notTested(_ reason: String) -> IsolationFinding {
    IsolationFinding(text: "not tested (\(reason))", violations: [], isTested: false)
  }

  /// For the result's findings.
  var findings: [String: JSONValue] {
    var findings: [String: JSONValue] = ["isolation": .string(text)]
    if !violations.isEmpty { findings["isolationViolations"] = .array(violations.map { .string($0) }) }
    return findings
  }
}
