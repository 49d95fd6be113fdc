import TestSupport
import Testing

@testable import LoadEngine

@Suite struct FIFOTests {
  @Test func whoCameFirstLeavesFirst() {
    var queue = FIFO<Int>()
    var model: [Int] = []
    var random = SeededRandom(seed: 7)
    for number in 0..<10_000 {
      switch Int.random(in: 0..<8, using: &random) {
      case 0..<4:
        queue.append(number)
        model.append(number)
      case 4..<7: #expect(queue.popFirst() == (model.isEmpty ? nil : model.removeFirst()))
      default: #expect(queue.popLast() == model.popLast())
      }
      #expect(queue.count == model.count && queue.isEmpty == model.isEmpty)
    }
    while !model.isEmpty { #expect(queue.popFirst() == model.removeFirst()) }
    #expect(queue.popFirst() == nil && queue.popLast() == nil)
    queue.append(1)
    queue.removeAll()
    #expect(queue.isEmpty && queue.popFirst() == nil)
  }
}
