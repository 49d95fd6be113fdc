/// What a pool is paid with, per hour or per month of 730 hours, in one currency.
package struct Prices: Sendable, Equatable {
  /// Such as `$`.
  package var currency: String
  /// A running or booting instance, per hour.
  package var runningInstancePerHour: Double
  /// A stopped instance of the instance pool, per hour.
  package var stoppedInstancePerHour: Double
  /// The storage of an instance, running or stopped, per month.
  package var storagePerInstanceMonth: Double
  /// A task that is warm or starting, per hour: where tasks are paid by themselves (Fargate).
  package var warmTaskPerHour: Double

  package init(
    currency: String, runningInstancePerHour: Double, stoppedInstancePerHour: Double, storagePerInstanceMonth: Double,
    warmTaskPerHour: Double
  ) {
    self.currency = currency
    self.runningInstancePerHour = runningInstancePerHour
    self.stoppedInstancePerHour = stoppedInstancePerHour
    self.storagePerInstanceMonth = storagePerInstanceMonth
    self.warmTaskPerHour = warmTaskPerHour
  }

  /// The team's figures. They have none for storage and for tasks.
  package static let lab = Prices(
    currency: "$", runningInstancePerHour: 0.0208, stoppedInstancePerHour: 0.0008, storagePerInstanceMonth: 0,
    warmTaskPerHour: 0)

  package static let hoursPerMonth = 730.0

  /// Whether instances cost anything, so that they have to be simulated.
  package var priceInstances: Bool {
    runningInstancePerHour > 0 || stoppedInstancePerHour > 0 || storagePerInstanceMonth > 0
  }

  func cost(running: Double, stopped: Double, warmTasks: Double) -> MonthlyCost {
    MonthlyCost(
      runningInstances: running * runningInstancePerHour * Self.hoursPerMonth,
      stoppedInstances: stopped * stoppedInstancePerHour * Self.hoursPerMonth,
      storage: (running + stopped) * storagePerInstanceMonth,
      warmTasks: warmTasks * warmTaskPerHour * Self.hoursPerMonth)
  }
}

/// The cost of a month by its parts, in the prices' currency.
package struct MonthlyCost: Sendable, Equatable {
  package var runningInstances: Double
  package var stoppedInstances: Double
  package var storage: Double
  package var warmTasks: Double

  package var total: Double { runningInstances + stoppedInstances + storage + warmTasks }
}
