import Glibc
import Latency
import LoadEngine
import ProcessControl
import Statistics
import UserWorkspace
import TextFormatting

/// Takes some users through every step together: all are created, then all are switched to, read, seen and removed.
///
/// The steps are separated so that none disturbs another: each begins for all writers at one instant, when the step
/// before has ended for all of them. System calls are made only on the writers' own threads.
struct DirInitRound: Sendable {
  /// The largest number of users of one writer in a round, which bounds the number of directories at one time.
  static let usersPerWriter = 100

  let settings: DirInitSettings
  /// Remembers the users' directories.
  let tree: CreatedDirectories
  /// Remembers directories that are made only to be seen through the peer mount.
  let scratch: CreatedDirectories
  let token: [UInt8]
  /// The deadline of removals between the steps.
  let cleanupDeadline: CleanupDeadline

  private typealias Operation =
    @Sendable (borrowing DirectoryWriter, UserDirectoryName) throws(WorkspaceError) -> [DirectoryUser.Sample]

  /// The number of steps of a complete iteration.
  var steps: Int { 3 + (settings.peerRoot == nil ? 0 : 1) + (settings.keeps ? 0 : 1) }

  /// Takes the users of each writer through the steps. After `deadline`, or when the task is cancelled, no further user
  /// begins; only a cancelled task leaves steps of begun users undone.
  ///  - Returns: the users who began.
  func perform(
    _ users: [[DirectoryUser]], until deadline: Instant, visits: inout SeededGenerator
  ) async throws(BenchmarkFailure) -> [DirectoryUser] {
    let syncs = settings.syncs
    var users = try await phase(users, until: deadline) { writer, user throws(WorkspaceError) in
      let times = try writer.create(user)
      let parts = [("create", times.create.duration), ("mkdir", times.mkdir), ("write_token", times.writeToken)]
      return (parts + (syncs ? [("fsync", times.fsync)] : [])).map { .init(metric: $0.0, length: $0.1) }
    }
    users = users.map { $0.filter(\.hasBegun) }
    // Users are visited in another order than they were made.
    let order = users.map { $0.indices.shuffled(using: &visits) }
    users = try await phase(users, in: order) { writer, user throws(WorkspaceError) in
      [.init(metric: "switch", length: try writer.switchTo(user).duration)]
    }
    users = try await phase(users, in: order) { writer, user throws(WorkspaceError) in
      [.init(metric: "read", length: try writer.read(user).duration)]
    }
    if let peerRoot = settings.peerRoot { users = try await seeThroughPeer(peerRoot, users) }
    if !settings.keeps {
      users = try await phase(users) { writer, user throws(WorkspaceError) in
        [.init(metric: "remove", length: try writer.remove(user).duration)]
      }
    }
    return users.flatMap { $0 }.sorted { $0.number < $1.number }
  }

  private func phase(
    _ users: [[DirectoryUser]], in order: [[Int]]? = nil, until deadline: Instant = .distantFuture,
    _ operation: @escaping Operation
  ) async throws(BenchmarkFailure) -> [[DirectoryUser]] {
    do throws(WorkspaceError) {
      return try await runWriters(count: users.count) { seat in
        var own = users[seat.index]
        do throws(WorkspaceError) {
          let writer = try DirectoryWriter(tree: tree, token: token, fsync: settings.syncs)
          seat.waitForStart()
          for index in order?[seat.index] ?? Array(own.indices) {
            if seat.shouldStop || MonotonicClock.now() >= deadline { break }
            let name = own[index].name
            own[index].attempt(within: settings.load.timeout) { () throws(WorkspaceError) in
              try operation(writer, name)
            }
          }
        } catch {
          for index in own.indices { own[index].fail(error) }
        }
        return own
      }
    } catch {
      throw BenchmarkFailure(error.description)
    }
  }

  /// Each user gets a second directory that was never looked up through the peer mount, because an NFS client would
  /// remember that look-up.
  private func seeThroughPeer(
    _ peerRoot: String, _ users: [[DirectoryUser]]
  ) async throws(BenchmarkFailure) -> [[DirectoryUser]] {
    do throws(WorkspaceError) {
      let seen = try await runWriters(count: 1) { seat in
        var users = users
        do throws(WorkspaceError) {
          let probe = try VisibilityProbe(
            tree: scratch, peerRoot: peerRoot, token: token, timeout: settings.load.timeout,
            shouldStop: { seat.shouldStop })
          for writer in users.indices {
            for index in users[writer].indices where !seat.shouldStop {
              see(&users[writer][index], through: probe, seat)
            }
          }
        } catch {
          for writer in users.indices where !seat.shouldStop {
            for index in users[writer].indices { users[writer][index].fail(error) }
          }
        }
        return users
      }
      _ = await DirectoryCleanup.removeAll(scratch, by: cleanupDeadline)
      return seen.first ?? users
    } catch {
      throw BenchmarkFailure(error.description)
    }
  }

  private func see(_ user: inout DirectoryUser, through probe: borrowing VisibilityProbe, _ seat: ParallelWriter) {
    var seen: Visibility?
    do throws(WorkspaceError) {
      guard user.failure == nil else { return }
      seen = try probe.measure(UserDirectoryName("\(user.name)-visible"))
    } catch {
      // The wait ended because the run is over, which is no failure.
      if !seat.shouldStop { user.fail(error) }
      return
    }
    user.visibility = seen
    user.attempt(within: settings.load.timeout) {
      seen.map { [.init(metric: "visibility", length: $0.delay.duration)] } ?? []
    }
  }
}

/// One user of a round, which is one iteration: the steps done so far, and their latencies.
struct DirectoryUser: Sendable {
  /// A latency, or a part of one.
  struct Sample: Sendable {
    var metric: String
    var length: Nanoseconds
  }

  /// The user's number, from 1, which its name contains.
  let number: Int
  let name: UserDirectoryName
  private(set) var samples: [Sample] = []
  private(set) var stepsDone = 0
  private(set) var failure: (kind: String, message: String)?
  /// Whether this process had too many open files for it, which is no failure of the file system.
  private(set) var isCutOff = false
  /// How its second directory was seen through the peer mount.
  var visibility: Visibility?

  init(number: Int, name: String) throws(WorkspaceError) {
    self.number = number
    self.name = try UserDirectoryName(name)
  }

  /// Whether any step was begun for this user.
  var hasBegun: Bool { stepsDone > 0 || failure != nil || isCutOff }

  /// Takes the next step, unless an earlier one failed. `operation` returns the step's latency first, then the parts of
  /// it.
  ///
  /// A system call cannot be interrupted: a step that took longer than `timeout` fails afterwards.
  mutating func attempt(within timeout: Nanoseconds, _ operation: () throws(WorkspaceError) -> [Sample]) {
    guard failure == nil, !isCutOff else { return }
    do throws(WorkspaceError) {
      let taken = try operation()
      if let whole = taken.first, whole.length > timeout {
        failure = ("timeout", "\(whole.metric) of '\(name)' took \(DurationText.write(whole.length))")
      } else {
        samples += taken
        stepsDone += 1
      }
    } catch {
      fail(error)
    }
  }

  mutating func fail(_ error: WorkspaceError) {
    if let cause = error.systemError, FileDescriptorLimit.isExceeded(errno: cause) {
      isCutOff = true
    } else if failure == nil {
      failure = (FileSystemErrorKind.of(error), error.description)
    }
  }

  /// The iteration's record; an iteration of fewer than `steps` steps is incomplete.
  func record(steps: Int) -> IterationRecord {
    var record = IterationRecord()
    if let failure {
      record.fail(failure.kind, failure.message)
    } else if isCutOff || stepsDone < steps {
      record.censor()
    }
    return record
  }

  /// `Run 1: create=45.1µs switch=12µs …`, or the failure.
  var line: String {
    let times = samples.filter { DirInitBenchmark.wholeSteps.contains($0.metric) }
      .map { " \($0.metric)=\(NumberText.time(milliseconds: $0.length.milliseconds))" }.joined()
    return "Run \(number):\(times)\(failure.map { " failed (\($0.kind))" } ?? "")\n"
  }
}

/// The kind that results count a failure on a file system by: the name of its errno, or the suite's own finding.
enum FileSystemErrorKind {
  static func of(_ error: WorkspaceError) -> String {
    switch error.kind {
    case .contentDiffers: "content_differs"
    case .foreignFiles: "foreign_files"
    case .differentTree: "different_tree"
    case .timeout: "timeout"
    default: error.systemError.map { names[$0] ?? "errno_\($0)" } ?? error.kind.rawValue
    }
  }

  private static let names: [Int32: String] = [
    EACCES: "EACCES", EAGAIN: "EAGAIN", EBUSY: "EBUSY", EDQUOT: "EDQUOT", EEXIST: "EEXIST", EFBIG: "EFBIG",
    EINVAL: "EINVAL", EIO: "EIO", EISDIR: "EISDIR", ELOOP: "ELOOP", EMFILE: "EMFILE", EMLINK: "EMLINK",
    ENAMETOOLONG: "ENAMETOOLONG", ENFILE: "ENFILE", ENODEV: "ENODEV", ENOENT: "ENOENT", ENOLCK: "ENOLCK",
    ENOMEM: "ENOMEM", ENOSPC: "ENOSPC", ENOSYS: "ENOSYS", ENOTCONN: "ENOTCONN", ENOTDIR: "ENOTDIR",
    ENOTEMPTY: "ENOTEMPTY", ENOTSUP: "ENOTSUP", EPERM: "EPERM", EROFS: "EROFS", ESTALE: "ESTALE",
    ETIMEDOUT: "ETIMEDOUT", EXDEV: "EXDEV",
  ]
}
