import Glibc
import Latency
import UserWorkspace
import Results

/// The measured directory, and everything that the run has made in it.
struct MeasuredDirectory: Sendable {
  let root: String
  let fileSystem: FileSystemInfo
  /// Users' directories, which `--keep` leaves.
  let users: CreatedDirectories
  /// Directories that are always removed: those of the warm-up, and those made for the peer mount.
  let scratch: CreatedDirectories
  /// The deadline of all removals: an interrupted run has one bound for all of them.
  let cleanupDeadline = CleanupDeadline()
  private let temporary: TemporaryRoot?

  /// Opens the root that was given, or makes one.
  static func open(_ settings: DirInitSettings) async throws(BenchmarkFailure) -> MeasuredDirectory {
    do throws(WorkspaceError) {
      return try await runOnOwnThread {
        Result { () throws(WorkspaceError) in try MeasuredDirectory(settings) }
      }.get()
    } catch {
      throw BenchmarkFailure("there is no place to measure: \(error)")
    }
  }

  private init(_ settings: DirInitSettings) throws(WorkspaceError) {
    temporary = settings.root == nil ? try TemporaryRoot() : nil
    root = temporary?.path ?? settings.root ?? "."
    do throws(WorkspaceError) {
      // Both user ids of the isolation test must be able to pass through the directory; other users cannot list it.
      if temporary != nil, settings.isolationIDs != nil { chmod(root, 0o711) }
      // The parent of a temporary directory, because notes contain the path, and a temporary name would differ in every
      // run.
      fileSystem = try FileSystemInfo(path: temporary == nil ? root : Self.parent(of: root))
      users = try CreatedDirectories(root: root)
      scratch = try CreatedDirectories(root: root)
    } catch {
      try? temporary?.remove()
      throw error
    }
  }

  private static func parent(of path: String) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return parts.count > 1 ? parts.joined(separator: "/") : "/"
  }

  /// Removes what was made, and notes what stays.
  func close(keeps: Bool, _ bench: RunContext) async {
    if !keeps { report(await DirectoryCleanup.removeAll(users, by: cleanupDeadline), users, bench) }
    report(await DirectoryCleanup.removeAll(scratch, by: cleanupDeadline), scratch, bench)
    guard let temporary, !(keeps && users.count > 0) else { return }
    do throws(WorkspaceError) {
      try await runOnOwnThread { Result { () throws(WorkspaceError) in try temporary.remove() } }.get()
    } catch {
      bench.note("the temporary directory \(root) stays: \(error)")
    }
  }

  /// The note for a result that is written before the removal; nil where nothing was made.
  func pending(keeps: Bool) -> String? {
    let number = scratch.remaining.count + (keeps ? 0 : users.remaining.count)
    guard number > 0 || temporary != nil else { return nil }
    let directories = number == 1 ? "1 directory" : "\(number) directories"
    return "\(directories) that this run made in \(root) \(number == 1 ? "was" : "were") not removed yet when this was "
      + "written"
  }

  private func report(_ cause: WorkspaceError?, _ tree: CreatedDirectories, _ bench: RunContext) {
    let stay = tree.remaining.map(\.description).sorted()
    guard !stay.isEmpty else { return }
    let names = stay.prefix(5).joined(separator: ", ") + (stay.count > 5 ? ", …" : "")
    bench.note(
      "\(stay.count) directories that this run made stay in \(root): \(names)"
        + (cause.map { "; the first because: \($0)" } ?? ""))
  }
}

/// The second mount of the measured tree, if one was given.
struct PeerMount: Sendable {
  private let fileSystem: FileSystemInfo?

  /// Checks, before anything is measured, that the peer mount shows the same tree.
  static func open(
    _ settings: DirInitSettings, _ place: MeasuredDirectory, _ bench: RunContext
  ) async throws(BenchmarkFailure) -> PeerMount {
    guard let path = settings.peerRoot else { return PeerMount(fileSystem: nil) }
    do throws(WorkspaceError) {
      let probed = try await runWriters(count: 1) { seat in
        Result { () throws(WorkspaceError) in
          let probe = try VisibilityProbe(
            tree: place.scratch, peerRoot: path, token: [], timeout: settings.load.timeout,
            shouldStop: { seat.shouldStop })
          return (sharesCache: probe.sharesCache, fileSystem: try FileSystemInfo(path: path))
        }
      }
      guard let peer = try probed.first?.get() else { return PeerMount(fileSystem: nil) }
      if peer.sharesCache {
        bench.note(
          "'\(path)' shares its client's cache with the measured directory: visibility shows nothing about two hosts; "
            + "mount the file system a second time with nosharecache, or run on another host, to measure that")
      }
      return PeerMount(fileSystem: peer.fileSystem)
    } catch {
      guard !Task.isCancelled else { throw BenchmarkFailure("interrupted before anything was measured") }
      throw BenchmarkFailure("--peer-root: \(error)")
    }
  }

  /// The result's findings about the peer mount.
  func findings(_ run: DirInitRun) -> [String: JSONValue] {
    guard let fileSystem else { return ["visibility": "not tested (needs a second mount: --peer-root DIR)"] }
    let seen = run.seen
    return [
      "peer": fileSystem.document,
      "visibility": .string(
        "tested: \(seen.all) tokens were read through the peer with the right content, "
          + "\(seen.atFirst) of them at the first look-up"),
    ]
  }
}

/// Removes what a run has made, by several threads, as each step may be a round trip to a file server.
enum DirectoryCleanup {
  private static let threads = 8
  /// The longest time of all removals once the run is interrupted; what is left then is reported.
  private static let boundWhenInterrupted: Nanoseconds = .milliseconds(3500)

  /// Removes the directories that `tree` remembers, with their contents; returns why the first one that stays could not
  /// be removed.
  ///
  /// - Parameter deadline: the run's deadline, which all its removals share; an interruption shortens it.
  static func removeAll(_ tree: CreatedDirectories, by deadline: CleanupDeadline) async -> WorkspaceError? {
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
    _ users: [UserDirectoryName], from tree: CreatedDirectories, by deadline: CleanupDeadline
  ) async -> WorkspaceError? {
    do throws(WorkspaceError) {
      return try await runOnOwnThread { removeAndWait(users, from: tree, by: deadline) }
    } catch {
      return error
    }
  }

  private static func removeAndWait(
    _ users: [UserDirectoryName], from tree: CreatedDirectories, by deadline: CleanupDeadline
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
