import Latency
import LoadEngine
import UserWorkspace

/// Some users taken through every step together: all are created, then all are switched to, read, seen and removed.
///
/// The phases are kept apart so that none disturbs another: each begins for all writers at one instant, when the one
/// before has ended for all of them. System calls are made on the writers' own threads only.
struct DirInitRound: Sendable {
  /// The most users of one writer in a round: what bounds the directories that exist at one time.
  static let usersPerWriter = 100

  let settings: DirInitSettings
  /// Remembers the users' directories.
  let tree: CreatedTree
  /// Remembers what is made only to be seen through the peer mount.
  let scratch: CreatedTree
  let token: [UInt8]
  /// Of what is removed between the steps.
  let cleanupDeadline: CleanupDeadline

  private typealias Operation =
    @Sendable (borrowing DirectoryWriter, UserDirectoryName) throws(WorkspaceError) -> [DirectoryUser.Sample]

  /// How many steps make a whole iteration.
  var steps: Int { 3 + (settings.peerRoot == nil ? 0 : 1) + (settings.keeps ? 0 : 1) }

  /// Takes the users of each writer through the steps. After `deadline`, or when the task is cancelled, nobody new is
  /// begun; only a cancelled task leaves steps of those begun undone.
  /// - Returns: Those who were begun.
  func perform(
    _ users: [[DirectoryUser]], until deadline: UInt64, visits: inout SeededGenerator
  ) async throws(BenchmarkFailure) -> [DirectoryUser] {
    let syncs = settings.syncs
    var users = try await phase(users, until: deadline) { writer, user throws(WorkspaceError) in
      let times = try writer.create(user)
      let parts = [("create", times.create.duration), ("mkdir", times.mkdir), ("write_token", times.writeToken)]
      return (parts + (syncs ? [("fsync", times.fsync)] : [])).map { .init(metric: $0.0, nanoseconds: $0.1) }
    }
    users = users.map { $0.filter(\.hasBegun) }
    // Users don't come back in the order of their making.
    let order = users.map { $0.indices.shuffled(using: &visits) }
    users = try await phase(users, in: order) { writer, user throws(WorkspaceError) in
      [.init(metric: "switch", nanoseconds: try writer.switchTo(user).duration)]
    }
    users = try await phase(users, in: order) { writer, user throws(WorkspaceError) in
      [.init(metric: "read", nanoseconds: try writer.read(user).duration)]
    }
    if let peerRoot = settings.peerRoot { users = try await seeThroughPeer(peerRoot, users) }
    if !settings.keeps {
      users = try await phase(users) { writer, user throws(WorkspaceError) in
        [.init(metric: "remove", nanoseconds: try writer.remove(user).duration)]
      }
    }
    return users.flatMap { $0 }.sorted { $0.number < $1.number }
  }

  private func phase(
    _ users: [[DirectoryUser]], in order: [[Int]]? = nil, until deadline: UInt64 = .max,
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

  /// Each user gets a twin that nobody has looked up through the peer before: an NFS client would remember that look-up.
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

  private func see(_ user: inout DirectoryUser, through probe: borrowing VisibilityProbe, _ seat: WriterSeat) {
    var seen: Visibility?
    do throws(WorkspaceError) {
      guard user.failure == nil else { return }
      seen = try probe.measure(UserDirectoryName("\(user.name)-visible"))
    } catch {
      // Given up because the run ends: no failure.
      if !seat.shouldStop { user.fail(error) }
      return
    }
    user.visibility = seen
    user.attempt(within: settings.load.timeout) {
      seen.map { [.init(metric: "visibility", nanoseconds: $0.delay.duration)] } ?? []
    }
  }
}
