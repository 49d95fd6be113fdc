internal import Glibc
public import Latency

/// The time until a finished file can be read through a second mount of the same tree.
public struct Visibility: Sendable, Equatable {
  /// From the end of the writer's work to the end of the first read with the right content.
  public let delay: TimedStep
  /// The number of look-ups; 1 when the first one succeeded.
  public let lookUps: Int

  /// Whether the first look-up found the right content, as close-to-open consistency promises.
  public var firstLookUpSucceeded: Bool { lookUps == 1 }
}

/// Writes through one mount and reads through another, as two tasks of one shared file system do.
///
/// The peer looks a name up only after its writer has finished. An earlier look-up would fail, NFS would cache that
/// failure for the time of its attribute cache, and the probe would measure a delay that it had caused itself.
///
/// For one thread; blocks.
public struct VisibilityProbe: ~Copyable {
  /// Whether both paths are on one device and therefore usually behind one cache; then the result says nothing about
  /// two clients. A mount with NFS's `nosharecache`, or on another host, has a cache of its own.
  public let sharesCache: Bool
  private let writer: DirectoryWriter
  private let peer: DirectoryDescriptor
  private let token: [UInt8]
  private let timeout: Nanoseconds
  private let shouldStop: @Sendable () -> Bool
  private let reader: TokenReader

  /// Opens both roots and checks, with a marker file, that they show the same tree.
  /// - Parameters:
  ///   - tree: the tree whose root the probe writes to.
  ///   - peerRoot: another mount of the same directory.
  ///   - token: the content to write and to expect; at most ``WorkspaceLayout/maximumTokenLength`` bytes.
  ///   - timeout: the time-out of one wait.
  ///   - shouldStop: asked between two look-ups; when it returns true, the wait ends as after a time-out.
  /// - Throws: ``WorkspaceError``: `differentTree` if the marker does not appear within the time-out; or the failed
  ///   call.
  public init(
    tree: CreatedDirectories, peerRoot: String, token: [UInt8], timeout: Nanoseconds,
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws(WorkspaceError) {
    let writer = try DirectoryWriter(tree: tree, token: token)
    let peer = try DirectoryDescriptor(root: peerRoot)
    let root = try DirectoryDescriptor(root: tree.root)
    let sharesCache = try root.device() == peer.device()
    let marker = PathComponent(".infrabench-marker-\(String(UInt64.random(in: .min ... .max), radix: 36))")
    try root.make(marker.characters, mode: WorkspaceLayout.privateDirectoryMode, mask: .ofProcess)
    let isSeen = Self.waitUntilSeen(
      marker, in: peer, Backoff(start: MonotonicClock.now(), timeout: timeout, shouldStop: shouldStop))
    try root.remove(marker.characters, flags: AT_REMOVEDIR)
    guard isSeen else {
      throw WorkspaceError(
        .differentTree,
        "'\(peerRoot)' doesn't show what is made in '\(tree.root)'; give a second mount of the same directory")
    }
    self.sharesCache = sharesCache
    self.writer = writer
    self.peer = peer
    self.token = token
    self.timeout = timeout
    self.shouldStop = shouldStop
    reader = TokenReader()
  }

  /// Creates `user` through the first mount, then reads the token through the second until it is right.
  /// - Throws: ``WorkspaceError``: `timeout` when the token was not right in time; the errors of
  ///   ``DirectoryWriter/create(_:)``; or a failed call, except for a name or a handle that the peer does not know yet.
  public func measure(_ user: UserDirectoryName) throws(WorkspaceError) -> Visibility {
    try waitForToken(of: user, since: try writer.create(user).create.end)
  }

  /// Looks `user` up until its token is right; `finished` is the end of the writer's work. Tests act in `afterMiss`.
  func waitForToken(
    of user: UserDirectoryName, since finished: Instant, afterMiss: (_ lookUps: Int) -> Void = { _ in }
  ) throws(WorkspaceError) -> Visibility {
    var wait = Backoff(start: finished, timeout: timeout, shouldStop: shouldStop)
    var lookUps = 1
    while try !isSeen(user) {
      afterMiss(lookUps)
      guard wait.pause() else {
        throw WorkspaceError(
          .timeout,
          "'\(user)' was not seen through the peer mount after \(lookUps) look-ups; raise --timeout, or mount with "
            + "lookupcache=positive and a shorter actimeo")
      }
      lookUps += 1
    }
    return Visibility(delay: TimedStep(start: finished, end: MonotonicClock.now()), lookUps: lookUps)
  }

  /// Whether the token is right. A missing, stale or incomplete file counts as not yet visible.
  private func isSeen(_ user: UserDirectoryName) throws(WorkspaceError) -> Bool {
    do throws(WorkspaceError) {
      let directory = try peer.enter(user.name.characters)
      return reader.holds(token, length: try reader.read(in: directory))
    } catch {
      guard error.systemError == ENOENT || error.systemError == ESTALE else { throw error }
      return false
    }
  }

  private static func waitUntilSeen(
    _ marker: PathComponent, in peer: borrowing DirectoryDescriptor, _ backoff: Backoff
  ) -> Bool {
    var wait = backoff
    while true {
      if (try? peer.enter(marker.characters)) != nil { return true }
      if !wait.pause() { return false }
    }
  }
}

/// Pauses between look-ups: none in the first millisecond, then 0.1 ms growing to 5 ms. The pauses limit the resolution
/// of the result.
private struct Backoff {
  let start: Instant
  let timeout: Nanoseconds
  let shouldStop: @Sendable () -> Bool
  private var pauseLength = 100_000

  init(start: Instant, timeout: Nanoseconds, shouldStop: @escaping @Sendable () -> Bool) {
    self.start = start
    self.timeout = timeout
    self.shouldStop = shouldStop
  }

  /// Pauses before the next look-up; false when the time-out has passed, or `shouldStop` returns true.
  mutating func pause() -> Bool {
    let elapsed = MonotonicClock.now().elapsed(since: start)
    if elapsed >= timeout || shouldStop() { return false }
    if elapsed < .milliseconds(1) { return true }
    var length = timespec(tv_sec: 0, tv_nsec: pauseLength)
    nanosleep(&length, nil)
    pauseLength = min(pauseLength * 2, 5_000_000)
    return true
  }
}
