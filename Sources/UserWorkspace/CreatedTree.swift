internal import Synchronization

/// What a run has made below one root, so that exactly that can be removed, at the end or when it is interrupted.
///
/// Shared by all writers of a run; safe from any thread.
public final class CreatedTree: Sendable {
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
  /// could not be removed. Stop the writers first. Blocks: not for the cooperative pool.
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
