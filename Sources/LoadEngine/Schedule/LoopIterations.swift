import Latency

/// One event loop's part of the iterations of a closed loop.
///
/// With several loops, one lock for every iteration would make them wait for one another. So each loop takes a share of
/// some iterations at a time, and the shares shrink towards the end of a count, so that no loop is left with work while
/// the others have none.
final class LoopIterations: @unchecked Sendable {
  // @unchecked: the mutable properties are touched by tasks of one loop only, which run on its thread.

  private let shared: SharedIterations
  private let loops: Int
  private var share = IterationBudget.Share()

  /// - Parameter loops: the number of loops that take shares.
  init(_ shared: SharedIterations, loops: Int) {
    self.shared = shared
    self.loops = loops
  }

  /// The next iteration; nil when the plan is fulfilled. Call it on the loop.
  func next() -> Iteration? {
    if !share.numbers.isEmpty, MonotonicClock.now() < share.endsAt {
      return Iteration(number: share.numbers.removeFirst(), isWarmup: false)
    }
    guard let first = shared.next() else { return nil }
    if loops > 1, !first.isWarmup { share = shared.share(of: loops) }
    return first
  }

  /// Whether no iteration may begin any more. Call it on the loop.
  var isOver: Bool { share.numbers.isEmpty ? shared.isOver : MonotonicClock.now() >= share.endsAt }
}
