import Glibc
import UserWorkspace

/// The directory that is measured, and everything that the run has made in it.
struct Workplace: Sendable {
  let root: String
  let fileSystem: FileSystemInfo
  /// Users' directories: those that `--keep` leaves.
  let users: CreatedTree
  /// What is always removed: of the warm-up, and of looks through the peer mount.
  let scratch: CreatedTree
  /// Of everything that is removed: an interrupted run has one bound for all of it.
  let cleanupDeadline = CleanupDeadline()
  private let temporary: TemporaryRoot?

  /// Opens the root that was given, or makes one.
  static func open(_ settings: DirInitSettings) async throws(BenchmarkFailure) -> Workplace {
    do throws(WorkspaceError) {
      return try await runOnOwnThread {
        Result { () throws(WorkspaceError) in try Workplace(settings) }
      }.get()
    } catch {
      throw BenchmarkFailure("there is no place to measure: \(error)")
    }
  }

  private init(_ settings: DirInitSettings) throws(WorkspaceError) {
    temporary = settings.root == nil ? try TemporaryRoot() : nil
    root = temporary?.path ?? settings.root ?? "."
    do throws(WorkspaceError) {
      // Both user ids of the isolation test must be able to pass through; nobody else sees names.
      if temporary != nil, settings.isolationIDs != nil { chmod(root, 0o711) }
      // Its notes name the path: that of a fresh directory would be another one in every run.
      fileSystem = try FileSystemInfo(path: temporary == nil ? root : Self.parent(of: root))
      users = try CreatedTree(root: root)
      scratch = try CreatedTree(root: root)
    } catch {
      try? temporary?.remove()
      throw error
    }
  }

  private static func parent(of path: String) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return parts.count > 1 ? parts.joined(separator: "/") : "/"
  }

  /// Removes what was made, and says what stays.
  func close(keeps: Bool, _ bench: Bench) async {
    if !keeps { report(await DirectoryCleanup.removeAll(users, by: cleanupDeadline), users, bench) }
    report(await DirectoryCleanup.removeAll(scratch, by: cleanupDeadline), scratch, bench)
    guard let temporary, !(keeps && users.count > 0) else { return }
    do throws(WorkspaceError) {
      try await runOnOwnThread { Result { () throws(WorkspaceError) in try temporary.remove() } }.get()
    } catch {
      bench.note("the temporary directory \(root) stays: \(error)")
    }
  }

  /// What is to be said before it is closed; nil where nothing was made.
  func pending(keeps: Bool) -> String? {
    let number = scratch.remaining.count + (keeps ? 0 : users.remaining.count)
    guard number > 0 || temporary != nil else { return nil }
    let directories = number == 1 ? "1 directory" : "\(number) directories"
    return "\(directories) that this run made in \(root) \(number == 1 ? "was" : "were") not removed yet when this was "
      + "written"
  }

  private func report(_ cause: WorkspaceError?, _ tree: CreatedTree, _ bench: Bench) {
    let stay = tree.remaining.map(\.description).sorted()
    guard !stay.isEmpty else { return }
    let names = stay.prefix(5).joined(separator: ", ") + (stay.count > 5 ? ", …" : "")
    bench.note(
      "\(stay.count) directories that this run made stay in \(root): \(names)"
        + (cause.map { "; the first because: \($0)" } ?? ""))
  }
}
