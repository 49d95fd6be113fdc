internal import Glibc
public import Latency

/// How long after its writer has finished a file is seen through a second mount of the same tree.
public struct Visibility: Sendable, Equatable {
  /// From the instant the writer had finished to the end of the first read that found the right content.
  public let delay: TimedStep
  /// How many look-ups it took; 1 when the first one found it.
  public let lookUps: Int

  /// Whether the very first look-up found the right content: what close-to-open consistency promises.
  public var firstLookUpSucceeded: Bool { lookUps == 1 }
}

/// Writes through one mount and reads through another, as two tasks of one shared file system do.
///
/// The peer looks a name up only after its writer has finished. An earlier look-up would fail, NFS would remember that
/// failure for as long as its attribute cache holds, and the probe would measure the damage that it had done itself.
/// For one thread; blocks.
public struct VisibilityProbe: ~Copyable {
  /// Whether both paths are on one device and so, as a rule, behind one cache: then the probe shows nothing about two clients.
  /// Mounting NFS with `nosharecache`, or from another host, gives a cache of its own.
  public let sharesCache: Bool
  private let writer: DirectoryWriter
  private let peer: DirectoryDescriptor
  private let token: [UInt8]
  private let timeout: Nanoseconds
  private let shouldStop: @Sendable () -> Bool
  private let reader: TokenReader

  /// Opens both roots and makes sure, with a marker file, that they show the same tree.
  /// - Parameters:
  ///   - tree: Whose root is written to.
  ///   - peerRoot: Another mount of the same directory.
  ///   - token: What is written and must be read; at most ``WorkspaceLayout/maximumTokenLength`` bytes.
  ///   - timeout: Bound of one wait.
  ///   - shouldStop: Asked between two look-ups; once it says yes, a wait ends as if its time were up.
  /// - Throws: ``WorkspaceError``: `differentTree` if the marker doesn't appear within the timeout; or the failed call.
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
  /// - Throws: ``WorkspaceError``: `timeout` when it did not become so in time; else as ``DirectoryWriter/create(_:)``, or the
  ///   failed call, but for a name or a handle that isn't known yet.
  public func measure(_ user: UserDirectoryName) throws(WorkspaceError) -> Visibility {
    try waitForToken(of: user, since: try writer.create(user).create.end)
  }

  /// Looks `user` up until its token is right; `finished` is when its writer was done. Tests act in `afterMiss`.
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

  /// Not there, stale and not yet complete all mean: not yet.
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

/// Asks again at once for the first millisecond, then in pauses of 0.1 ms that grow to 5 ms: the poll interval
/// limits the resolution.
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

  /// Pauses before the next attempt; false when the time is up, or `shouldStop` says so.
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
