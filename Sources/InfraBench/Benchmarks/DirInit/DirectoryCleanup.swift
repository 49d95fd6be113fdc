import UserWorkspace

/// Removes what a run has made: by several threads, as each step may be a round trip to a file server.
enum DirectoryCleanup {
  private static let threads = 8
  /// How long all of it may go on once the run is interrupted, in ns; what is not removed by then is reported.
  private static let boundWhenInterrupted: UInt64 = 3_500_000_000

  /// Removes what `tree` remembers, whole directories at a time; why the first thing that stays does so.
  ///
  /// - Parameter deadline: the run's: everything that it removes shares one, which comes near with an interruption.
  static func removeAll(_ tree: CreatedTree, by deadline: CleanupDeadline) async -> WorkspaceError? {
    let users = tree.remaining
    guard !users.isEmpty else { return nil }
    return await withTaskCancellationHandler {
      await withTaskGroup(of: WorkspaceError?.self) { group in
        let count = min(threads, users.count)
        for first in 0..<count {
          let share = stride(from: first, to: users.count, by: count).map { users[$0] }
          group.addTask { await remove(share, from: tree, by: deadline) }
        }
        return await group.reduce(nil) { $0 ?? $1 }
      }
    } onCancel: {
      deadline.comesNearer(within: boundWhenInterrupted)
    }
  }

  private static func remove(
    _ users: [UserDirectoryName], from tree: CreatedTree, by deadline: CleanupDeadline
  ) async -> WorkspaceError? {
    do throws(WorkspaceError) {
      return try await runOnOwnThread { removeAndWait(users, from: tree, by: deadline) }
    } catch {
      return error
    }
  }

  private static func removeAndWait(
    _ users: [UserDirectoryName], from tree: CreatedTree, by deadline: CleanupDeadline
  ) -> WorkspaceError? {
    var failure: WorkspaceError?
    do throws(WorkspaceError) {
      let writer = try DirectoryWriter(tree: tree, token: [])
      for user in users {
        if deadline.hasPassed {
          return failure ?? WorkspaceError(.timeout, "there was no time to remove it after the interruption")
        }
        do throws(WorkspaceError) { _ = try writer.remove(user) } catch { failure = failure ?? error }
      }
    } catch {
      failure = error
    }
    return failure
  }
}
