import Glibc
import Synchronization

/// What a run has made below one root, so that exactly that can be removed, at the end or when it is interrupted.
///
/// Shared by all writers of a run; safe from any thread.
public final class CreatedDirectories: Sendable {
  /// The directory, which existed before, that everything was made in.
  public let root: String
  private let descriptor: DirectoryDescriptor
  private let users = Mutex<Set<UserDirectoryName>>([])

  /// What became of a removal.
  public struct RemovalReport: Sendable, Equatable {
    /// How many users' directories were removed.
    public internal(set) var removed = 0
    /// What stays, and why; to be shown to the user.
    public internal(set) var leftovers: [Leftover] = []
  }

  /// - Throws: ``WorkspaceError`` when `root` is missing, not a directory, or can't be reached.
  public init(root: String) throws(WorkspaceError) {
    self.root = root
    descriptor = try DirectoryDescriptor(root: root)
  }

  /// How many users' directories exist by this run's doing.
  public var count: Int { users.withLock { $0.count } }

  /// The users whose directories exist by this run's doing, in no order.
  public var remaining: [UserDirectoryName] { users.withLock { Array($0) } }

  func remember(_ user: UserDirectoryName) { users.withLock { _ = $0.insert(user) } }

  func forget(_ user: UserDirectoryName) { users.withLock { _ = $0.remove(user) } }

  func remembers(_ user: UserDirectoryName) -> Bool { users.withLock { $0.contains(user) } }

  /// Removes every directory that was made and is still there; foreign files, and the directories above them, stay.
  ///
  /// May be called again and from several threads: the second call waits for the first, then finds nothing left to do but what
  /// could not be removed. Stop the writers first. It blocks, so never call it on the cooperative pool.
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

/// Something that stays because removing it was not possible, or not this suite's to do.
public struct Leftover: Sendable, Equatable, CustomStringConvertible {
  /// Where it is, relative to the tree's root.
  public let path: String
  /// Why it stays: kind `foreignFiles`, `notADirectory`, or the failed system call.
  public let cause: WorkspaceError

  /// Path and reason, for a note to the user.
  public var description: String { "'\(path)' stays: \(cause.message)" }
}

/// Removes one user's directory by the names that the suite gives, and nothing else: no listing, no recursion, no links
/// followed.
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
      // Only there if its writer was stopped between making it and renaming it.
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

/// A fresh directory for a run that was given no root: mode 0700, a name of its own.
public struct TemporaryRoot: Sendable {
  /// Its absolute path.
  public let path: String

  /// Makes it in `$TMPDIR`, else in `/tmp`.
  /// - Throws: ``WorkspaceError`` when that is missing or not writable.
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

  /// Removes it if it is empty; already gone counts as removed. Remove what was made in it first.
  /// - Throws: ``WorkspaceError`` of the kind `foreignFiles` if something is still in it.
  public func remove() throws(WorkspaceError) {
    if rmdir(path) == 0 || errno == ENOENT { return }
    throw WorkspaceError.failed("rmdir", on: path, cause: errno)
  }
}
