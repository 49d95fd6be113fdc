import Testing

@testable import LoadEngine

@Suite struct ParkingLotTests {
  @Test func whoCameFirstLeavesFirst() {
    var lot = ParkingLot<Int>()
    var model: [Int] = []
    var random = SeededGenerator(seed: 7)
    for number in 0..<10_000 {
      if Bool.random(using: &random) || model.isEmpty {
        lot.append(number)
        model.append(number)
      } else {
        #expect(lot.popFirst() == model.removeFirst())
      }
      #expect(lot.isEmpty == model.isEmpty)
    }
    while !model.isEmpty { #expect(lot.popFirst() == model.removeFirst()) }
    #expect(lot.popFirst() == nil)
  }
}
