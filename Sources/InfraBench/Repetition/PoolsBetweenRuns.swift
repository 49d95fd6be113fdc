import Gateway
import Latency
import Transport

/// Lets each run find the warm tasks of a gateway that it shares with the others as the first run found them: a pool that
/// is still filling from the run before would be another thing to measure.
struct PoolsBetweenRuns {
  /// By side, the warm tasks before its first run.
  private var atFirst: [RunPlan.Side?: Int] = [:]
  /// By side, those that are waited for: as many, or as few as a wait in vain came to.
  private var awaited: [RunPlan.Side?: Int] = [:]

  /// What waits without a word, in ns.
  private static let silence: UInt64 = 2_000_000_000
  /// What waiting before one run may take, in ns.
  private let bound: UInt64
  /// What one question may take, in ns.
  private let lookBound: UInt64

  init(bound: UInt64 = 60_000_000_000, lookBound: UInt64 = 5_000_000_000) {
    self.bound = bound
    self.lookBound = lookBound
  }

  /// Waits before a run of `side` until its pool is as full as before that side's first run; what is to be noted if that
  /// was in vain. Those after it then wait for no more than it found.
  mutating func wait(for target: TargetSettings?, _ side: RunPlan.Side?, _ console: Console) async -> String? {
    guard let target else { return nil }
    let bench = Bench(console: Console(print: .json, isQuiet: true))
    let (count, bound) = (awaited[side] ?? 0, bound)
    let seen = try? await GatewaySession.with(target, timeout: lookBound, bench: bench) {
      session async throws(BenchmarkFailure) -> Int? in
      let client = session.client(on: session.loops.executor(forUser: 0))
      defer { client.close() }
      return await Self.wait(for: count, client, bound, console)
    }
    guard let seen = seen ?? nil else { return nil }
    let first = atFirst[side] ?? seen
    atFirst[side] = first
    awaited[side] = min(awaited[side] ?? seen, seen)
    guard seen < first, !Task.isCancelled else { return nil }
    return "before this run the gateway's pool had \(seen) warm tasks, before the first run \(first)"
  }

  /// The latest number of warm tasks; nil when the gateway doesn't tell.
  private static func wait(for count: Int, _ client: GatewayClient, _ bound: UInt64, _ console: Console) async -> Int? {
    let begin = MonotonicClock.now()
    var isSaid = false
    var seen: Int?
    while let look = await PoolLook.take(through: client) {
      seen = look.status.warmCount
      if look.status.warmCount >= count || Task.isCancelled || MonotonicClock.now() - begin >= bound { break }
      if !isSaid, MonotonicClock.now() - begin > silence {
        isSaid = true
        console.note("waiting until the gateway has \(count) warm tasks again")
      }
      try? await Task.sleep(for: .milliseconds(10))
    }
    return seen
  }
}
