import CWorkspace
import Glibc

/// Creates one user's directory under one user id, and tries to access it under another.
///
/// Each id acts on a thread of its own, which then ends: on Linux credentials belong to a thread, so those of the
/// process never change. These threads make only system calls, because a thread started from one would inherit its
/// credentials.
public struct IsolationProbe: Sendable {
  private let root: String
  private let owner: uid_t
  private let intruder: uid_t
  private let beforeAttempts: @Sendable (_ ownersDirectory: String) -> Void

  /// - Parameters:
  ///   - root: an existing directory that both ids can reach.
  ///   - owner: the user and group id that creates its directory.
  ///   - intruder: the user and group id that tries to access it.
  public init(root: String, owner: UInt32, intruder: UInt32) {
    self.init(root: root, owner: owner, intruder: intruder, beforeAttempts: { _ in })
  }

  /// For tests: `beforeAttempts` runs as the owner, and may grant access that should be refused.
  init(root: String, owner: UInt32, intruder: UInt32, beforeAttempts: @escaping @Sendable (String) -> Void) {
    self.root = root
    self.owner = owner
    self.intruder = intruder
    self.beforeAttempts = beforeAttempts
  }

  /// Runs the probe on threads of its own.
  /// - Throws: ``WorkspaceError`` only when no thread could be created; any other obstacle is in the result.
  public func run() async throws(WorkspaceError) -> IsolationReport {
    try await runOnOwnThread { runAndWait() }
  }

  private func runAndWait() -> IsolationReport {
    if let reason = obstacle { return IsolationReport(result: .notTested(reason: reason), leftovers: []) }
    let place: IsolationDirectory
    do throws(WorkspaceError) {
      place = try IsolationDirectory(root: root)
    } catch {
      return IsolationReport(result: .notTested(reason: error.description), leftovers: [])
    }
    let result: IsolationResult
    do throws(NotTested) {
      result = .tested(violations: try probe(place))
    } catch {
      result = .notTested(reason: error.reason)
    }
    // Each id removes its own directory, because a file server may not treat root as root.
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

  private func probe(_ place: IsolationDirectory) throws(NotTested) -> [IsolationViolation] {
    // Each id first creates and reads a directory of its own: if that failed, a later refusal would prove nothing.
    for user in [owner, intruder] {
      let failure = try perform(as: user) { place.makeUser(of: user) }
      if let failure {
        throw NotTested("user id \(user) can't use a directory of its own below '\(root)': \(failure.description)")
      }
    }
    try perform(as: owner) { beforeAttempts(place.directory(of: owner)) }
    let outcomes = try perform(as: intruder) { place.attemptAll(on: owner) }
    let path = place.pathBelowRoot(of: owner)
    let violations = outcomes.filter { $0.1 == .succeeded }.map { IsolationViolation(attempt: $0.0, path: path) }
    // One successful attempt is a violation. A clean result needs every attempt to be refused for lack of permission.
    if violations.isEmpty {
      for case (let attempt, .unclear(let cause)) in outcomes {
        throw NotTested(
          "\(attempt.rawValue) failed for another reason than permission: \(String(cString: strerror(cause)))")
      }
    }
    return violations
  }

  private func perform<Output: Sendable>(
    as user: uid_t, _ body: @escaping @Sendable () -> Output
  ) throws(NotTested) -> Output {
    let output: Result<Output, NotTested>?
    do throws(WorkspaceError) {
      output = try runOnOwnThreadAndWait {
        Result { () throws(NotTested) in
          let cause = workspace_become(user, user)
          guard cause == 0 else { throw NotTested("can't act as user id \(user): \(String(cString: strerror(cause)))") }
          guard hasNoCapabilities() else {
            throw NotTested("user id \(user) keeps root's capabilities (securebits are set)")
          }
          return body()
        }
      }
    } catch {
      throw NotTested(error.description)
    }
    guard let output else { throw NotTested("the thread of user id \(user) gave no answer") }
    return try output.get()
  }
}

/// Why the probe has no finding.
private struct NotTested: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

/// Whether the calling thread lacks the effective capabilities, such as CAP_DAC_OVERRIDE, that bypass modes:
/// capabilities(7).
private func hasNoCapabilities() -> Bool {
  let status = (try? readWholeFile("/proc/thread-self/status")) ?? ""
  for line in status.split(separator: "\n") where line.hasPrefix("CapEff:") {
    return line.dropFirst("CapEff:".count).allSatisfy { $0 == "0" || $0.isWhitespace }
  }
  return false
}

/// The directory, open to all like `/tmp`, in which two user ids create their own for the probe, and the steps of each
/// id.
///
/// All accesses are by path, as another process's would be, so that the directories above are tested too.
struct IsolationDirectory: Sendable {
  /// The outcome of an attempt.
  enum Outcome: Sendable, Equatable {
    case succeeded
    case denied
    /// Neither: this errno says nothing about permissions.
    case unclear(Int32)
  }

  private let path: String
  private let name: String

  private static let token = Array("{\"token\":\"isolation-probe\"}".utf8)
  private static let intrusion = ".infrabench-intruder"

  /// - Throws: ``WorkspaceError`` when the directory cannot be created, for example because the server maps root to
  ///   nobody.
  init(root: String) throws(WorkspaceError) {
    name = "infrabench-isolation-\(String(UInt64.random(in: .min ... .max), radix: 36))"
    path = "\(root)/\(name)"
    try systemCall("mkdir", on: path) { mkdir(path, 0o700) }
    // The sticky bit lets any user create a directory here, and no user rename or remove another's.
    do throws(WorkspaceError) {
      try systemCall("chmod", on: path) { chmod(path, 0o1777) }
    } catch {
      rmdir(path)
      throw error
    }
  }

  func pathBelowRoot(of user: uid_t) -> String { "\(name)/\(user)" }

  /// Creates a directory of the id's own and reads it back; returns the error, nil for success.
  func makeUser(of user: uid_t) -> WorkspaceError? {
    do throws(WorkspaceError) {
      _ = try WorkspacePreparation.prepare(directory: directory(of: user), inside: path, token: Self.token)
      let entered = try DirectoryDescriptor(root: directory(of: user))
      let reader = TokenReader()
      guard reader.holds(Self.token, length: try reader.read(in: entered)) else {
        return WorkspaceError(.contentDiffers, "its own token isn't what it wrote")
      }
      return nil
    } catch {
      return error
    }
  }

  /// Makes every attempt on `user`'s directory; to be called under another id.
  func attemptAll(on user: uid_t) -> [(IsolationViolation.Attempt, Outcome)] {
    IsolationViolation.Attempt.allCases.map { ($0, attempt($0, on: user)) }
  }

  private func attempt(_ attempt: IsolationViolation.Attempt, on user: uid_t) -> Outcome {
    let token = "\(directory(of: user))/\(WorkspaceLayout.productDirectory)/\(WorkspaceLayout.tokenFile)"
    switch attempt {
    case .enter:
      // A look-up of any name inside needs the permission to enter.
      var status = stat()
      return outcome(of: lstat("\(directory(of: user))/\(WorkspaceLayout.productDirectory)", &status))
    case .list: return open(directory(of: user), O_RDONLY | O_DIRECTORY)
    case .readToken: return open(token, O_RDONLY)
    case .makeFile:
      let file = "\(directory(of: user))/\(Self.intrusion)"
      let result = open(file, O_WRONLY | O_CREAT | O_EXCL)
      if result == .succeeded { unlink(file) }
      return result
    case .overwriteToken: return open(token, O_WRONLY)
    }
  }

  private func open(_ file: String, _ flags: Int32) -> Outcome {
    let descriptor = Glibc.open(file, flags | O_NOFOLLOW | O_CLOEXEC, 0o600)
    let result = outcome(of: descriptor)
    if descriptor >= 0 { close(descriptor) }
    return result
  }

  private func outcome(of result: Int32) -> Outcome {
    if result >= 0 { return .succeeded }
    return errno == EACCES || errno == EPERM ? .denied : .unclear(errno)
  }

  /// Removes only what ``makeUser(of:)`` created.
  func removeUser(of user: uid_t) {
    guard let place = try? DirectoryDescriptor(root: path) else { return }
    if let entered = try? place.enter(PathComponent("\(user)").characters) {
      try? entered.remove(PathComponent(Self.intrusion).characters)
    }
    _ = UserRemoval.remove(PathComponent("\(user)"), from: place)
  }

  /// Removes the directory, and what the users could not remove themselves; returns the paths that stay.
  func remove(users: [uid_t]) -> [String] {
    for user in users { removeUser(of: user) }
    return rmdir(path) == 0 ? [] : [name]
  }

  func directory(of user: uid_t) -> String { "\(path)/\(user)" }
}

/// A successful access to another user's directory that the modes should have prevented.
public struct IsolationViolation: Sendable, Equatable, CustomStringConvertible {
  /// An attempt of one user on another's directory.
  public enum Attempt: String, Sendable, CaseIterable {
    /// Enter the directory.
    case enter
    /// List its names.
    case list
    /// Open the token for reading.
    case readToken = "read_token"
    /// Create a file in the directory.
    case makeFile = "make_file"
    /// Open the token for writing.
    case overwriteToken = "overwrite_token"
  }

  /// The attempt that succeeded.
  public let attempt: Attempt
  /// The path that was accessed, relative to the root.
  public let path: String

  /// One sentence for the report.
  public var description: String { "another user could \(attempt.rawValue) '\(path)'" }
}

/// Whether one user's files are closed to another, or why that could not be tested.
public enum IsolationResult: Sendable, Equatable {
  /// Two user ids made the attempts; without violations all were refused.
  case tested(violations: [IsolationViolation])
  /// The test was not possible, for this reason.
  case notTested(reason: String)
}

/// The finding, and the paths that the probe could not remove.
public struct IsolationReport: Sendable, Equatable {
  /// The finding.
  public let result: IsolationResult
  /// Paths below the root that could not be removed.
  public let leftovers: [String]
}
