import Testing

@testable import Statistics

/// Against quantiles by SciPy 1.14: `scipy.stats.t.ppf((1 + level) / 2, n)` and `scipy.stats.norm.ppf(p)`.
struct IntervalDistributionTests {
  @Test(arguments: [
    (1, 0.95, 12.706204736432095), (1, 0.9999, 6366.1976712), (2, 0.95, 4.302652729911275),
    (4, 0.99, 4.604094871415897), (19, 0.95, 2.093024054408263), (19, 0.9999, 4.897461588862216),
    (99, 0.95, 1.9842169515086827), (1000, 0.95, 1.9623390808264078),
  ])
  func quantilesOfStudentsTAreSciPys(_ freedom: Int, _ level: Double, _ expected: Double) {
    let quantile = StudentT(degreesOfFreedom: freedom).twoSidedQuantile(level: level)
    #expect(abs(quantile / expected - 1) < 1e-6, "\(quantile)")
  }

  @Test func theEndsOfStudentsTAreZeroAndInfinity() {
    #expect(StudentT(degreesOfFreedom: 3).twoSidedQuantile(level: 0) == 0)
    #expect(StudentT(degreesOfFreedom: 3).twoSidedQuantile(level: 1) == .infinity)
    #expect(StudentT(degreesOfFreedom: 0).degreesOfFreedom == 1)
  }

  @Test(arguments: [
    (0.5, 0), (0.975, 1.959963984540054), (0.99, 2.3263478740408408), (0.025, -1.959963984540054),
    (1e-10, -6.361340902404056), (0.99995, 3.8905918864131003),
  ])
  func quantilesOfTheNormalDistributionAreSciPys(_ p: Double, _ expected: Double) {
    #expect(abs(NormalDistribution.quantile(p) - expected) < 1e-12)
  }

  @Test func theEndsOfTheNormalDistributionAreInfinite() {
    #expect(NormalDistribution.quantile(0) == -.infinity && NormalDistribution.quantile(1) == .infinity)
  }
}
