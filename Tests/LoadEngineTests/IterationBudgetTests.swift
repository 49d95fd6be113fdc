import Latency
import TestSupport
import Testing

@testable import LoadEngine

@Suite struct IterationBudgetTests {
  private func drain(_ budget: inout IterationBudget, at now: Instant, most: Int = 100) -> [Iteration] {
    var iterations: [Iteration] = []
    while iterations.count < most, let next = budget.next(at: now) { iterations.append(next) }
    return iterations
  }

  @Test(arguments: [0, 1, 7]) func theCountIsGivenOutOnceAndNumberedFromOne(_ count: Int) {
    var budget = IterationBudget(.closedLoop(users: 3, count: count), startingAt: 0)
    #expect(drain(&budget, at: 0).map(\.number) == Array(0..<count).map { $0 + 1 })
    #expect(budget.next(at: 0) == nil)
    #expect(!budget.isOver(at: .distantFuture))
  }

  @Test func theDurationEndsIt() {
    var budget = IterationBudget(.closedLoop(users: 1, count: nil, duration: 100), startingAt: 50)
    #expect(budget.measurementStartedAt == nil)
    #expect(budget.next(at: 60)?.number == 1)
    #expect(budget.measurementStartedAt == 60)
    #expect(budget.next(at: 159)?.number == 2)
    #expect(!budget.isOver(at: 159))
    #expect(budget.isOver(at: 160))
    #expect(budget.next(at: 160) == nil)
  }

  @Test func theFirstOfCountAndDurationEndsIt() {
    var short = IterationBudget(.closedLoop(users: 1, count: 2, duration: .microseconds(1)), startingAt: 0)
    #expect(drain(&short, at: 0).count == 2)
    var timed = IterationBudget(.closedLoop(users: 1, count: 1000, duration: 10), startingAt: 0)
    #expect(drain(&timed, at: 0, most: 5).count == 5)
    #expect(timed.next(at: 10) == nil)
  }

  @Test func warmUpIterationsComeFirstAndHaveNumbersOfTheirOwn() {
    var budget = IterationBudget(.closedLoop(users: 1, count: 2, warmup: .iterations(3)), startingAt: 0)
    let all = drain(&budget, at: 0)
    #expect(all.map(\.isWarmup) == [true, true, true, false, false])
    #expect(all.map(\.number) == [1, 2, 3, 1, 2])
  }

  @Test func warmUpByTimeIsLeftOutOfTheDuration() {
    var budget = IterationBudget(
      .closedLoop(users: 1, count: nil, duration: 100, warmup: .duration(50)), startingAt: 1000)
    #expect(budget.next(at: 1000)?.isWarmup == true)
    #expect(budget.next(at: 1049)?.isWarmup == true)
    #expect(!budget.isOver(at: 5000))
    #expect(budget.next(at: 1070)?.isWarmup == false)
    #expect(budget.measurementStartedAt == 1070)
    #expect(budget.next(at: 1169)?.number == 2)
    #expect(budget.next(at: 1170) == nil)
  }

  @Test func whatIsGivenBackIsGivenOutAgain() throws {
    var budget = IterationBudget(.closedLoop(users: 1, count: 2, warmup: .iterations(1)), startingAt: 0)
    let givenWarmup = budget.next(at: 0)
    let warmup = try #require(givenWarmup)
    budget.giveBack(warmup)
    let again = budget.next(at: 0)
    #expect(again == warmup)
    let givenFirst = budget.next(at: 0)
    let first = try #require(givenFirst)
    budget.giveBack(first)
    #expect(drain(&budget, at: 0).map(\.number) == [1, 2])
  }

  @Test(arguments: [(1, 2), (31, 2), (1000, 2), (1000, 3), (10_000, 8)])
  func severalLoopsTakeSharesOfTheCountAndLeaveNothing(_ count: Int, _ loops: Int) {
    var random = SeededRandom(seed: UInt64(count + loops))
    var budget = IterationBudget(.closedLoop(users: loops, count: count), startingAt: 0)
    var shares = [Range<Int>](repeating: 0..<0, count: loops)
    var (numbers, asked) = ([Int](), 0)
    var isOver = false
    while !isOver {
      let loop = Int.random(in: 0..<loops, using: &random)
      if shares[loop].isEmpty {
        asked += 1
        guard let next = budget.next(at: 1) else {
          isOver = true
          continue
        }
        numbers.append(next.number)
        let left = count - (numbers.max() ?? 0)
        shares[loop] = budget.share(of: loops, at: 1).numbers
        #expect(shares[loop].count <= max(0, left / (8 * loops)))
      } else {
        numbers.append(shares[loop].removeFirst())
      }
    }
    numbers += shares.flatMap { Array($0) }
    #expect(numbers.sorted() == Array(1...count))
    if count == 10_000 { #expect(asked < count / 4) }
  }

  @Test func noShareIsTakenWhileWarmingUpOrAfterTheEnd() {
    var warm = IterationBudget(.closedLoop(users: 1, count: nil, duration: 100, warmup: .duration(50)), startingAt: 0)
    _ = warm.next(at: 10)
    #expect(warm.share(of: 2, at: 10) == IterationBudget.Share())
    _ = warm.next(at: 60)
    #expect(warm.share(of: 2, at: 60) == IterationBudget.Share(numbers: 2..<66, endsAt: 160))
    #expect(warm.next(at: 159)?.number == 66)
    #expect(warm.share(of: 2, at: 160).numbers.isEmpty)
  }

  @Test func aBurstIsOneIterationPerUser() {
    var budget = IterationBudget(.burst(users: 5), startingAt: 0)
    #expect(drain(&budget, at: 0).map(\.number) == [1, 2, 3, 4, 5])
  }

  @Test func nothingRemainsWhenTheCountIsReached() {
    var counted = IterationBudget(.closedLoop(users: 1, count: 1, duration: 100), startingAt: 0)
    #expect(counted.remaining(at: 0) == .max)
    _ = counted.next(at: 0)
    #expect(counted.remaining(at: 10) == 0)
    var timed = IterationBudget(.closedLoop(users: 1, count: nil, duration: 100), startingAt: 0)
    _ = timed.next(at: 5)
    #expect(timed.remaining(at: 45) == 60 && timed.remaining(at: 500) == 0)
  }
}
