internal import CWorkspace
internal import Glibc

/// Makes one user's directory under one user id, and tries to get at it under another.
///
/// Each id acts on a thread of its own, which then ends: on Linux credentials belong to a thread, so the process never changes.
public struct IsolationProbe: Sendable {
  private let root: String
  private let owner: uid_t
  private let intruder: uid_t
  private let userMode: mode_t

  /// - Parameters:
  ///   - root: A directory that exists, and that both ids can reach.
  ///   - owner: The user and group id that makes its directory.
  ///   - intruder: The user and group id that then tries to get at it.
  public init(root: String, owner: UInt32, intruder: UInt32) {
    self.init(root: root, owner: owner, intruder: intruder, userMode: WorkspaceLayout.privateDirectoryMode)
  }

  init(root: String, owner: UInt32, intruder: UInt32, userMode: mode_t) {
    self.root = root
    self.owner = owner
    self.intruder = intruder
    self.userMode = userMode
  }

  /// Runs the probe on threads of its own.
  /// - Throws: ``WorkspaceError`` only when no thread could be made; whatever prevents a statement is in the result.
  public func run() async throws(WorkspaceError) -> IsolationReport {
    try await runOnOwnThread { runAndWait() }
  }

  private func runAndWait() -> IsolationReport {
    if let reason = obstacle { return IsolationReport(result: .notTested(reason: reason), leftovers: []) }
    let place: IsolationPlace
    do throws(WorkspaceError) {
      place = try IsolationPlace(root: root)
    } catch {
      return IsolationReport(result: .notTested(reason: error.description), leftovers: [])
    }
    let result: IsolationResult
    do throws(NotTested) {
      result = .tested(violations: try probe(place))
    } catch {
      result = .notTested(reason: error.reason)
    }
    // Each id clears up after itself: root may not be root on a file server.
    _ = try? perform(as: intruder) { place.removeUser(of: intruder) }
    _ = try? perform(as: owner) { place.removeUser(of: owner) }
    return IsolationReport(result: result, leftovers: place.remove(users: [owner, intruder]))
  }

  private var obstacle: String? {
    if geteuid() != 0 { return "only root can act as two user ids; run as root (in a container: --user 0)" }
    if owner == intruder { return "both user ids are \(owner); give two different ones" }
    if owner == 0 || intruder == 0 { return "user id 0 passes every check; give two ordinary user ids" }
    return nil
  }

  private func probe(_ place: IsolationPlace) throws(NotTested) -> [IsolationViolation] {
    // Both make and read a directory of their own: without that, a refusal would prove nothing.
    for user in [owner, intruder] {
      let failure = try perform(as: user) { place.makeUser(of: user, mode: userMode) }
      if let failure {
        throw NotTested("user id \(user) can't use a directory of its own below '\(root)': \(failure.description)")
      }
    }
    let outcomes = try perform(as: intruder) { place.attemptAll(on: owner) }
    var violations: [IsolationViolation] = []
    for (attempt, outcome) in outcomes {
      switch outcome {
      case .succeeded: violations.append(IsolationViolation(attempt: attempt, path: place.pathBelowRoot(of: owner)))
      case .denied: break
      case .unclear(let cause):
        throw NotTested("\(attempt.rawValue) failed for another reason than permission: \(String(cString: strerror(cause)))")
      }
    }
    return violations
  }

  private func perform<Output: Sendable>(
    as user: uid_t, _ body: @escaping @Sendable () -> Output
  ) throws(NotTested) -> Output {
    let output: Result<Output, NotTested>?
    do throws(WorkspaceError) {
      output = try runOnOwnThreadAndWait { Result { () throws(NotTested) in
        let cause = workspace_become(user, user)
        guard cause == 0 else { throw NotTested("can't act as user id \(user): \(String(cString: strerror(cause)))") }
        guard hasNoCapabilities() else { throw NotTested("user id \(user) keeps root's capabilities (securebits are set)") }
        return body()
      } }
    } catch {
      throw NotTested(error.description)
    }
    guard let output else { throw NotTested("the thread of user id \(user) gave no answer") }
    return try output.get()
  }
}

/// Why the probe can make no statement.
private struct NotTested: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

/// Whether the calling thread has no effective capability, such as CAP_DAC_OVERRIDE, that passes over modes: capabilities(7).
private func hasNoCapabilities() -> Bool {
  let status = (try? readWholeFile("/proc/thread-self/status")) ?? ""
  for line in status.split(separator: "\n") where line.hasPrefix("CapEff:") {
    return line.dropFirst("CapEff:".count).allSatisfy { $0 == "0" || $0.isWhitespace }
  }
  return false
}
