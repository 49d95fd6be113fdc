import Latency

/// Limits the starts of a broken image: after a failure starts pause, for a time that doubles up to a cap, and then one
/// task at a time is tried until one connects.
struct StartBackoff {
  /// The first pause.
  let initial: Nanoseconds
  /// The longest pause.
  let cap: Nanoseconds
  /// A failure this long after the last pause begins a new streak.
  let quietPeriod: Nanoseconds

  /// The instant before which no task is started.
  private(set) var retryAt: Instant = .distantPast
  /// When the streak's first start failed.
  private var streakBegan: Instant = .distantPast
  /// When the youngest task that has proved sound connected.
  private var lastSound: Instant = .distantPast
  private var streak = 0
  private var isProbing = false

  init(initial: Nanoseconds, cap: Nanoseconds, quietPeriod: Nanoseconds) {
    self.initial = initial
    self.cap = cap
    self.quietPeriod = quietPeriod
  }

  /// Notes a failed start, or a task that died as soon as it connected. A failure during a pause belongs to the same
  /// burst and does not extend the pause. One after a sound task that is younger than the streak begins a new streak.
  mutating func failed(at now: Instant) {
    guard now >= retryAt else { return }
    if now > retryAt + quietPeriod || lastSound > streakBegan { streak = 0 }
    if streak == 0 { streakBegan = now }
    // The shift stops at 2^20, because the product exceeds any sensible cap by then.
    let pause = min(cap, initial * (1 << min(streak, 20)))
    streak += 1
    retryAt = now + pause
    isProbing = true
  }

  /// Notes that a task connected: the image works, so several tasks may start at the same time again.
  mutating func connected() { isProbing = false }

  /// Notes that a task which connected at this instant is sound: it has settled, or has confirmed its user.
  mutating func proved(connectedAt: Instant) { lastSound = max(lastSound, connectedAt) }

  /// The number of further tasks that may start at `now`, with `starting` tasks already starting.
  func allowance(at now: Instant, starting: Int) -> Int {
    if now < retryAt { return 0 }
    return isProbing ? max(0, 1 - starting) : .max
  }
}

/// What the pool counts as a failed start.
extension PoolStateMachine {
  /// Notes a death that counts as a failed start: of a task that was starting, or had connected a moment before.
  mutating func noteEarlyDeath(_ state: TaskState, now: Instant) {
    switch state {
    case .starting: break
    case .warm(let since) where now < since + rules.settleTime: break
    default: return
    }
    noteFailedStart(now: now)
    wake(at: backoff.retryAt)
  }

  /// Notes a failed start, and what the other tasks say about the image.
  mutating func noteFailedStart(now: Instant) {
    let settled = tasks.values.compactMap(\.connectedAt).filter { $0 + rules.settleTime <= now }
    if let youngest = settled.max() { backoff.proved(connectedAt: youngest) }
    backoff.failed(at: now)
  }
}
