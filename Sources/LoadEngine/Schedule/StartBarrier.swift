import Latency
import Synchronization

/// Holds a fixed number of tasks until the last of them has arrived, then releases all at one instant.
final class StartBarrier: Sendable {
  private struct State {
    var missing: Int
    /// The instant of the release, or the refusal; nil as long as the barrier is closed.
    var released: Instant??
    var waiting: [(number: Int, party: UnsafeContinuation<Instant?, Never>)] = []
  }

  let parties: Int
  private let agreed: AgreedBegin?
  private let beforeRelease: @Sendable () -> Void
  private let whenReached: @Sendable (Instant) -> Void
  private let whenRefused: @Sendable () -> Void
  private let state: Mutex<State>

  /// Calls `beforeRelease` when all parties have arrived; the release waits for it, so slow work belongs there. Then
  /// calls `whenReached` with the instant of the release, before any party continues.
  ///
  /// - Parameters:
  ///   - agreed: the begin that is shared with other generators. The release waits for it.
  ///   - whenRefused: is called in place of both where the shared begin never comes.
  init(
    parties: Int, agreed: AgreedBegin? = nil, beforeRelease: @escaping @Sendable () -> Void = {},
    whenReached: @escaping @Sendable (Instant) -> Void = { _ in }, whenRefused: @escaping @Sendable () -> Void = {}
  ) {
    self.parties = parties
    self.agreed = agreed
    self.beforeRelease = beforeRelease
    self.whenReached = whenReached
    self.whenRefused = whenRefused
    state = Mutex(State(missing: parties))
  }

  /// Waits until all parties have called this, and returns the instant of their release; nil where the shared begin
  /// never comes. Each party must call it once, even if it was cancelled.
  ///
  /// Parties continue in the order of their numbers, whenever each arrived: so the users of one loop take their first
  /// starts in this order, however long each took to connect.
  func wait(as number: Int = 0) async -> Instant? {
    let isLast = state.withLock { state in
      state.missing -= 1
      return state.missing <= 0
    }
    guard isLast else { return await line(up: number) }
    // The last party lines up too: if it went on by itself, it would be the first.
    return await withTaskGroup(of: Void.self) { group in
      group.addTask {
        await self.open()
        self.resumeAll()
      }
      return await self.line(up: number)
    }
  }

  private func line(up number: Int) async -> Instant? {
    await withUnsafeContinuation { continuation in
      let isReleased = state.withLock { state in
        state.waiting.append((number, continuation))
        return state.released != nil
      }
      if isReleased { resumeAll() }
    }
  }

  private func resumeAll() {
    let (waiting, instant) = state.withLock { state in
      defer { state.waiting = [] }
      return (state.waiting.sorted { $0.number < $1.number }, state.released ?? nil)
    }
    for (_, party) in waiting { party.resume(returning: instant) }
  }

  /// Opens the barrier for all.
  private func open() async {
    guard let agreed else {
      beforeRelease()
      return release(at: MonotonicClock.now())
    }
    guard let begin = await agreed.nearlyReached() else {
      whenRefused()
      return state.withLock { $0.released = .some(nil) }
    }
    beforeRelease()
    agreed.reach(begin)
    release(at: begin)
  }

  private func release(at instant: Instant) {
    whenReached(instant)
    state.withLock { $0.released = instant }
  }
}

/// A begin that several generators share.
struct AgreedBegin: Sendable {
  /// Waits until the instant is known; nil where there will be none.
  let instant: @Sendable () async -> Instant?
  /// How long before the begin the users are released.
  let lead: Nanoseconds
  /// Whether the users are released at the begin itself, and not before it.
  let isExact: Bool

  /// Resetting the generator's monitor takes up to some ms.
  private static let preparation: Nanoseconds = .milliseconds(8)

  /// Waits until the begin is so near that the rest can be prepared; nil where there is none.
  func nearlyReached() async -> Instant? {
    guard let begin = await instant(), !Task.isCancelled else { return nil }
    let wait = MonotonicClock.now().remaining(until: begin)
    if wait > lead + Self.preparation {
      guard (try? await Task.sleep(for: wait - lead - Self.preparation)) != nil else { return nil }
    }
    return begin
  }

  /// Returns at the begin, to the microsecond: a timer would be late by more.
  func reach(_ begin: Instant) {
    guard isExact else { return }
    while MonotonicClock.now() < begin {}
  }
}
