import Latency
import Testing

@testable import LoadEngine

@Suite struct UserRampTests {
  static let ramps: [(from: Int, stages: [(UInt64, Int)], maximum: Int)] = [
    (0, [(30, 10), (20, 10), (30, 0)], 10), (5, [(100, 5)], 5), (0, [(0, 3), (7, 3), (0, 1), (5, 4)], 3),
    (10, [(10, 0), (10, 10)], 10), (2, [(50, 1000), (50, 0), (1, 7)], 1000), (0, [(5, 0), (0, 9)], 0), (4, [], 0),
    (-3, [(10, -5), (10, 2)], 2),
  ]

  private func ramp(_ from: Int, _ stages: [(UInt64, Int)]) -> UserRamp {
    UserRamp(stages: stages.map { UserStage(duration: Nanoseconds($0.0), target: $0.1) }, from: from)
  }

  @Test(arguments: ramps) func theNextActiveInstantIsThatOfATickingClock(
    _ from: Int, _ stages: [(UInt64, Int)], _ maximum: Int
  ) {
    let ramp = ramp(from, stages)
    let length = stages.reduce(0) { $0 + $1.0 }
    #expect(ramp.length == Nanoseconds(length) && ramp.maximum == maximum)
    let users = (0..<length + 5).map { ramp.users(at: Nanoseconds($0)) }
    #expect((users.max() ?? 0) == maximum)
    #expect(users.suffix(5) == [0, 0, 0, 0, 0])
    for user in [1, 2, 3, 5, 10, 11, 500, 990, 991, 1000, 1001] {
      for offset in 0..<length + 5 {
        let expected = users[Int(offset)...].firstIndex { $0 >= user }.map { Nanoseconds(UInt64($0)) }
        #expect(ramp.nextActive(user: user, from: Nanoseconds(offset)) == expected)
      }
    }
  }

  @Test func theUsersTimeIsTheAreaUnderTheRamp() {
    let ramp = ramp(0, [(3000, 10), (2000, 10), (3000, 2)])
    let time = (0..<ramp.length.nanoseconds).reduce(0) { $0 + ramp.users(at: Nanoseconds($1)) }
    #expect(abs(time - (15_000 + 20_000 + 18_000)) <= 10)
    #expect(ramp.users(at: 1500) == 5 && ramp.users(at: 2999) == 10)
  }

  @Test func hugeStagesDoNotOverflow() {
    let ramp = UserRamp(
      stages: [UserStage(duration: .max, target: .max), UserStage(duration: .max, target: .min)], from: .min)
    #expect(ramp.length == .max && ramp.users(at: 0) == 0 && ramp.users(at: .max) == 0)
    #expect(ramp.users(at: .max - 1) == ramp.maximum)
    #expect(ramp.nextActive(user: .max, from: 0) == nil)
    #expect(ramp.nextActive(user: ramp.maximum, from: 0).map { ramp.users(at: $0) } == ramp.maximum)
  }
}
