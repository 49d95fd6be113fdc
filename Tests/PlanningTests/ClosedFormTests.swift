import Latency
import Planning
import Testing

/// Against the figures of the planner's contract, which are known to six digits.
struct ClosedFormTests {
  private static let load = 5.0 / 60 * 10

  @Test(arguments: zip(1...5, [0.434598, 0.796763, 0.947666, 0.989583, 0.998316]))
  func aQueueHitsWhereFewerStartsAreUnderWayThanThePoolIsLarge(_ size: Int, _ expected: Double) {
    #expect(abs(ClosedForms.hitRateWhereMissesQueue(size: size, load: Self.load) - expected) < 5e-7)
  }

  @Test(arguments: zip(1...5, [0.545455, 0.840764, 0.957641, 0.991253, 0.998544]))
  func anOwnStartLeavesThePoolAnErlangLossSystem(_ size: Int, _ expected: Double) {
    #expect(abs(ClosedForms.hitRateWhereMissesStartTheirOwn(size: size, load: Self.load) - expected) < 5e-7)
  }

  @Test(arguments: zip(1...5, [0.166667, 0.754902, 0.942290, 0.988976, 0.998254]))
  func aWaitThatOrdersNothingIsAnErlangDelaySystem(_ size: Int, _ expected: Double) {
    #expect(abs(ClosedForms.hitRateWhereMissesWait(size: size, load: Self.load) - expected) < 5e-7)
  }

  @Test(arguments: [(5, 2, 0.947347, 0.963303), (10, 5, 0.968172, 0.981615), (20, 10, 0.996546, 0.998131)])
  func largerPoolsAreTheContracts(_ size: Int, _ load: Double, _ queue: Double, _ own: Double) {
    #expect(abs(ClosedForms.hitRateWhereMissesQueue(size: size, load: load) - queue) < 5e-7)
    #expect(abs(ClosedForms.hitRateWhereMissesStartTheirOwn(size: size, load: load) - own) < 5e-7)
  }

  @Test(arguments: [(1, 5, 5), (2, 7, 7), (5, 12, 11), (10, 19, 18), (20, 32, 30), (50, 68, 64)])
  func theSmallestSizesFor99PercentAreTheContracts(_ load: Double, _ queue: Int, _ own: Int) {
    let sizes = [ClosedForms.hitRateWhereMissesQueue, ClosedForms.hitRateWhereMissesStartTheirOwn].map { hitRate in
      ClosedForms.smallestSize(for: 0.99, upTo: 200) { hitRate($0, load) }
    }
    #expect(sizes == [queue, own])
    #expect(ClosedForms.smallestSize(for: 0.99, upTo: 3) { _ in 0.5 } == nil)
  }

  /// 5 a minute, 30 minutes, 20 s.
  @Test func aServiceNeeds171TasksFor99Percent() {
    let load = 5.0 / 60 * (30 * 60 + 20)
    let size = ClosedForms.smallestSize(for: 0.99, upTo: 500) { 1 - ClosedForms.erlangB(servers: $0, load: load) }
    #expect(size == 171)
  }

  @Test func aRefillTakesAsManyRoundsAsThereAreParallelStarts() {
    #expect(ClosedForms.refill(starts: 5, parallel: 5, constant: 10) == 10)
    #expect(ClosedForms.refill(starts: 5, parallel: 2, constant: 10) == 30)
    #expect(ClosedForms.refill(starts: 0, parallel: 2, constant: 10) == 0)
    #expect(ClosedForms.refill(starts: 1, parallel: 4, exponentialMean: 10) == 10)
    let three = ClosedForms.refill(starts: 3, parallel: 2, exponentialMean: 10)
    #expect(abs(three - (10 + 5 + 5)) < 1e-12)
    let all = ClosedForms.refill(starts: 4, parallel: 9, exponentialMean: 12)
    #expect(abs(all - (12 + 6 + 4 + 3)) < 1e-12)
  }

  @Test func aPlanSaysHowLongARefillTakesAndHowManyUsersThereAre() {
    var model = PlanModel(arrivals: .poisson(perSecond: 5.0 / 60), times: PlanTimes())
    model.rules.parallelStarts = 2
    #expect(model.otherFigures(size: 5) == ["a drained pool of 5 is full again after ⌈5/2⌉ × 10 s = 30 s"])
    model.times.taskStart = .exponential(mean: .seconds(12))
    #expect(model.otherFigures(size: 3).first?.hasSuffix("i = 1…3, = 24 s on average") == true)
    model.rules.parallelStarts = nil
    #expect(model.otherFigures(size: 4).first?.hasSuffix("i = 1…4, = 25 s on average") == true)
    model.capacity = Capacity(slots: 7)
    // By SciPy: poisson.ppf(0.99, 150) is 179.
    #expect(
      model.otherFigures(size: 4) == [
        "users with a session are Poisson with mean λ·E[session] = 150: in 99 % of the time at most 179"
      ])
  }

  @Test(arguments: [0.001, 0.5, 3, 20, 151.6667, 5000, 250_000])
  func poissonTailsAddUpAndAgreeWithASumOfAllTerms(_ mean: Double) {
    let deviation = mean.squareRoot()
    for number in [0, Int(mean - 3 * deviation), Int(mean), Int(mean + 3 * deviation)] where number >= 0 {
      // By the recursion of the loss formula: B(n, a) = P(X = n) / P(X ≤ n).
      let below = ClosedForms.poisson(atMost: number - 1, mean: mean)
      let upTo = ClosedForms.poisson(atMost: number, mean: mean)
      guard upTo > 1e-12, mean < 10_000 else { continue }
      #expect(abs((upTo - below) / upTo - ClosedForms.erlangB(servers: number, load: mean)) < 1e-8)
    }
    #expect(abs(ClosedForms.poisson(atMost: Int(mean + 12 * deviation) + 20, mean: mean) - 1) < 1e-9)
    #expect(ClosedForms.poisson(atMost: -1, mean: mean) == 0)
  }

  @Test func extremesAreTheFormulasOwn() {
    #expect(ClosedForms.erlangB(servers: 0, load: 3) == 1)
    #expect(ClosedForms.erlangB(servers: 5, load: 0) == 0)
    #expect(ClosedForms.erlangC(servers: 5, load: 5) == 1)
    #expect(ClosedForms.poisson(atMost: 0, mean: 0) == 1)
    #expect(ClosedForms.erlangB(servers: 100_000, load: 99_000).isFinite)
  }

  /// Misses of rare kinds come alone, and those of a full system come together.
  @Test func missesAreMoreDispersedTheMoreOftenTheyCome() {
    let lone = ClosedForms.dispersionOfMisses(size: 12, load: 1, kind: .erlangB)
    let many = ClosedForms.dispersionOfMisses(size: 10, load: 9, kind: .erlangB)
    #expect(lone > 1 && lone < 1.3 && many > lone && many < 20, "\(lone) \(many)")
    // With no pool all users miss, so their number is that of the arrivals, which is Poisson.
    #expect(ClosedForms.dispersionOfMisses(size: 0, load: 2, kind: .erlangB) == 1)
    #expect(ClosedForms.dispersionOfMisses(size: 400, load: 1, kind: .poisson).isFinite)
  }

  /// Where misses wait and order nothing, only `size` starts are under way, so a queue ends slowly. The values come from
  /// sums over the states of M/M/S by another program. M/M/∞ would have 4.35 for the first.
  @Test(arguments: [(5, 4.667, 12.45), (10, 9.5, 25.5), (1, 0.833, 2.67)])
  func missesThatQueueForStartsComeTogether(_ size: Int, _ load: Double, _ expected: Double) {
    let dispersion = ClosedForms.dispersionOfMisses(size: size, load: load, kind: .erlangC)
    #expect(abs(dispersion / expected - 1) < 0.02, "\(dispersion)")
  }

  @Test func aQueueWithoutASteadyStateHasNoDispersion() {
    #expect(ClosedForms.dispersionOfMisses(size: 5, load: 5, kind: .erlangC) == .infinity)
    #expect(ClosedForms.dispersionOfMisses(size: 0, load: 1, kind: .erlangC) == .infinity)
    #expect(ClosedForms.dispersionOfMisses(size: 400, load: 399.999, kind: .erlangC).isFinite)
  }
}
