import Testing

@testable import EmbeddedGateway

@Suite struct OrderedQueueTests {
  @Test(arguments: 1...20)
  func behavesLikeAnArray(seed: Int) {
    var random = SplitMix(state: UInt64(seed))
    var queue = OrderedQueue<Int>()
    var model: [Int] = []
    for element in 0..<3000 {
      switch random.below(5) {
      case 0, 1, 2:
        queue.append(element)
        model.append(element)
      case 3: #expect(queue.removeFirst() == (model.isEmpty ? nil : model.removeFirst()))
      default:
        let victim = random.below(element + 1)
        let index = model.firstIndex(of: victim)
        #expect(queue.remove(victim) == (index != nil))
        if let index { model.remove(at: index) }
      }
      #expect(queue.count == model.count)
    }
    #expect(queue.elements == model)
  }

  @Test func appendingTwiceKeepsTheFirstPlace() {
    var queue = OrderedQueue<Int>()
    for element in [1, 2, 1] { queue.append(element) }
    #expect(queue.elements == [1, 2])
  }
}
