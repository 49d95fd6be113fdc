import Latency
import TestSupport
import Testing

@testable import Transport

/// The heap of timers against a sorted array.
@Suite struct TimerHeapTests {
  /// Sets, moves and cancels timers at random, many of them for the same instant, and takes those that are due.
  @Test(arguments: 0..<8) func timersComeInTheOrderOfASortedArray(_ seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let loop = try #require(testLoops.executor(forUser: 0) as? EpollLoop)
    let timers = (0..<Int.random(in: 1...150, using: &random)).map { _ in EpollTimer(loop) {} }
    var heap = TimerHeap()
    /// When each timer fires; those that are not set are missing.
    var model: [Int: Instant] = [:]
    var now = Instant(nanoseconds: 1_000)
    for _ in 0..<6_000 {
      let number = Int.random(in: timers.indices, using: &random)
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<6:
        let instant = now + Nanoseconds(UInt64.random(in: 0..<64, using: &random))
        heap.put(timers[number], for: instant)
        model[number] = instant
      case 6..<9:
        heap.remove(timers[number])
        model[number] = nil
      default:
        now = now + Nanoseconds(UInt64.random(in: 0..<40, using: &random))
        let due = model.filter { $0.value <= now }
        var taken: [Instant] = []
        while let timer = heap.takeDue(at: now) {
          let instant = timers.firstIndex { $0 === timer }.flatMap { model.removeValue(forKey: $0) }
          taken.append(try #require(instant, "a timer that is not set"))
        }
        #expect(taken == due.values.sorted())
      }
      #expect(heap.next == model.values.min())
      #expect(timers[number].firesAt == model[number])
    }
    while let timer = heap.takeDue(at: .distantFuture) { #expect(timer.firesAt == nil) }
    #expect(heap.next == nil)
  }
}
