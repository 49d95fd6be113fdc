import TestSupport
import Testing

@testable import Transport

@Suite struct ReadyQueueTests {
  @Test(arguments: 0..<8) func itGivesOutWhatAnArrayWould(_ seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var (queue, expected) = (ReadyQueue<Int>(capacity: 2), [Int]())
    for step in 0..<5000 {
      // Mostly growing at first, then mostly shrinking.
      switch Int.random(in: 0..<(step < 2500 ? 5 : 9), using: &random) {
      case 0, 1:
        queue.append(step)
        expected.append(step)
      case 2:
        queue.prepend(step)
        expected.insert(step, at: 0)
      case _ where !expected.isEmpty:
        let first = queue.removeFirst()
        #expect(first == expected.removeFirst())
      default: break
      }
      #expect(queue.isEmpty == expected.isEmpty && queue.end - queue.start == expected.count)
    }
  }

  /// A loop notes where a round of its tasks ends; the tasks of the round make others ready, for which it grows.
  @Test(arguments: 1...40) func aPositionNamesTheSamePlaceAfterItHasGrown(_ taken: Int) {
    var queue = ReadyQueue<Int>(capacity: 16)
    for number in 0..<taken {
      queue.append(number)
      _ = queue.removeFirst()
    }
    for number in 0..<10 { queue.append(number) }
    let end = queue.end
    var (round, next) = ([Int](), 100)
    while queue.start != end, round.count < 100 {
      round.append(queue.removeFirst())
      for _ in 0..<10 {
        queue.append(next)
        next += 1
      }
    }
    #expect(round == Array(0..<10))
  }
}
