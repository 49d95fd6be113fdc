import Glibc
import Synchronization

/// The record of a run's directories below one root, by which they alone are removed, at the end or after an
/// interruption.
///
/// Shared by all writers of a run; safe from any thread.
public final class CreatedDirectories: Sendable {
  /// The root, which existed before the run and holds all its directories.
  public let root: String
  private let descriptor: DirectoryDescriptor
  private let users = Mutex<Set<UserDirectoryName>>([])

  /// The result of a removal.
  public struct RemovalReport: Sendable, Equatable {
    /// The number of users' directories that were removed.
    public internal(set) var removed = 0
    /// The entries that stay, with reasons to show to the user.
    public internal(set) var leftovers: [Leftover] = []
  }

  /// - Throws: ``WorkspaceError`` when `root` is missing, not a directory, or cannot be reached.
  public init(root: String) throws(WorkspaceError) {
    self.root = root
    descriptor = try DirectoryDescriptor(root: root)
  }

  /// The number of existing users' directories that this run created.
  public var count: Int { users.withLock { $0.count } }

  /// The users whose directories this run created and has not removed, in no order.
  public var remaining: [UserDirectoryName] { users.withLock { Array($0) } }

  func remember(_ user: UserDirectoryName) { users.withLock { _ = $0.insert(user) } }

  func forget(_ user: UserDirectoryName) { users.withLock { _ = $0.remove(user) } }

  func remembers(_ user: UserDirectoryName) -> Bool { users.withLock { $0.contains(user) } }

  /// Removes every directory that the run created and that still exists; foreign files, and the directories above them,
  /// stay.
  ///
  /// May be called again and from several threads: the second call waits for the first, and then retries only the
  /// leftovers. Stop the writers first. It blocks, so never call it on the cooperative pool.
  public func removeAll() -> RemovalReport {
    users.withLock { users in
      var report = RemovalReport()
      for user in users {
        let leftovers = UserRemoval.remove(user.name, from: descriptor)
        report.leftovers += leftovers
        if leftovers.isEmpty {
          report.removed += 1
          users.remove(user)
        }
      }
      return report
    }
  }
}

/// An entry that stays because it could not be removed, or is not the suite's own.
public struct Leftover: Sendable, Equatable, CustomStringConvertible {
  /// The entry's path, relative to the tree's root.
  public let path: String
  /// Why the entry stays: kind `foreignFiles`, `notADirectory`, or the failed system call.
  public let cause: WorkspaceError

  /// Path and reason, for a note to the user.
  public var description: String { "'\(path)' stays: \(cause.message)" }
}

/// Removes one user's directory by the names that the suite gives: without a listing, without recursion, and without
/// following links.
enum UserRemoval {
  static func remove(_ user: PathComponent, from root: borrowing DirectoryDescriptor) -> [Leftover] {
    var leftovers: [Leftover] = []
    do throws(WorkspaceError) {
      let directory = try root.enter(user.characters)
      removeProductDirectory(in: directory, of: user, &leftovers)
      removeEmpty(LayoutName.assistant, in: directory, below: user, &leftovers)
    } catch {
      if error.kind == .notFound { return leftovers }
      leftovers.append(Leftover(path: user.text, cause: error))
    }
    if leftovers.isEmpty { removeEmpty(user.characters, in: root, below: nil, &leftovers) }
    return leftovers
  }

  private static func removeProductDirectory(
    in user: borrowing DirectoryDescriptor, of name: PathComponent, _ leftovers: inout [Leftover]
  ) {
    do throws(WorkspaceError) {
      let product = try user.enter(LayoutName.product)
      try product.remove(LayoutName.token)
      // The file exists only if its writer was stopped between creating and renaming it.
      try product.remove(LayoutName.newToken)
    } catch {
      if error.kind != .notFound {
        leftovers.append(Leftover(path: "\(name.text)/\(WorkspaceLayout.productDirectory)", cause: error))
      }
      return
    }
    removeEmpty(LayoutName.product, in: user, below: name, &leftovers)
  }

  private static func removeEmpty(
    _ name: UnsafePointer<CChar>, in parent: borrowing DirectoryDescriptor, below user: PathComponent?,
    _ leftovers: inout [Leftover]
  ) {
    do throws(WorkspaceError) {
      try parent.remove(name, flags: AT_REMOVEDIR)
    } catch {
      let path = (user.map { $0.text + "/" } ?? "") + String(cString: name)
      var cause = error
      if error.kind == .foreignFiles {
        let names = parent.someNames(in: name).joined(separator: "', '")
        cause = WorkspaceError(
          .foreignFiles, "'\(path)' holds '\(names)', which this run did not make; look at it and remove it by hand",
          systemError: error.systemError)
      }
      leftovers.append(Leftover(path: path, cause: cause))
    }
  }
}

/// A new directory for a run without a given root: mode 0700 and a unique name.
public struct TemporaryRoot: Sendable {
  /// Its absolute path.
  public let path: String

  /// Creates the directory in `$TMPDIR`, else in `/tmp`.
  /// - Throws: ``WorkspaceError`` when that directory is missing or not writable.
  public init() throws(WorkspaceError) {
    try self.init(in: getenv("TMPDIR").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp")
  }

  init(in parent: String) throws(WorkspaceError) {
    var template = Array("\(parent)/infrabench-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw WorkspaceError.failed("mkdtemp", on: parent, cause: errno)
    }
    path = PathComponent(bytes: template.dropLast().map(UInt8.init(bitPattern:))).text
  }

  /// Removes the directory if it is empty; a missing one counts as removed. Remove its content first.
  /// - Throws: ``WorkspaceError`` of the kind `foreignFiles` if it is not empty.
  public func remove() throws(WorkspaceError) {
    if rmdir(path) == 0 || errno == ENOENT { return }
    throw WorkspaceError.failed("rmdir", on: path, cause: errno)
  }
}
