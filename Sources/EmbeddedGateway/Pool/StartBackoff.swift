/// Keeps a broken image from becoming a storm of starts: after a failure starts pause for a time that doubles up to a cap,
/// and then one task at a time is tried until one connects.
struct StartBackoff {
  /// The first pause, in ns.
  let initial: UInt64
  /// The longest pause, in ns.
  let cap: UInt64
  /// A failure this long (ns) after the last pause begins a new streak.
  let quietPeriod: UInt64

  /// Instant before which nothing is started, in ns.
  private(set) var retryAt: UInt64 = 0
  private var streak = 0
  private var isProbing = false

  init(initial: UInt64, cap: UInt64, quietPeriod: UInt64) {
    self.initial = initial
    self.cap = cap
    self.quietPeriod = quietPeriod
  }

  /// A start failed, or a task died as soon as it was there. Failures during a pause belong to the same burst and don't lengthen it.
  mutating func failed(at now: UInt64) {
    guard now >= retryAt else { return }
    if now > retryAt + quietPeriod { streak = 0 }
    // 2^20 times any sensible first pause is above any sensible cap.
    let pause = min(cap, initial << UInt64(min(streak, 20)))
    streak += 1
    retryAt = now + pause
    isProbing = true
  }

  /// A task connected: the image works, so tasks may start side by side again.
  mutating func connected() { isProbing = false }

  /// How many more tasks may be started at `now` while `starting` are on their way.
  func allowance(at now: UInt64, starting: Int) -> Int {
    if now < retryAt { return 0 }
    return isProbing ? max(0, 1 - starting) : .max
  }
}
