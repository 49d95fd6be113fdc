/// Holm's step-down procedure (A Simple Sequentially Rejective Multiple Test Procedure, 1979). For any set of true
/// hypotheses, the probability of rejecting at least one of them is at most alpha.
///
/// The smallest of m p-values is judged at alpha/m, the next at alpha/(m − 1), and so on; the first that is not
/// rejected ends the procedure. A rejected p-value has the level of its own step, each other one the level of the step
/// that ended the procedure. Their p lies above that level, so intervals at these levels agree with the rejections.
package struct HolmCorrection {
  /// The outcome for one p-value.
  package struct Outcome: Equatable {
    package var isRejected: Bool
    package var level: Double
    /// At most alpha if and only if the hypothesis is rejected.
    package var adjustedPValue: Double
  }

  /// In the order of the p-values.
  package let outcomes: [Outcome]

  package init(pValues: [Double], alpha: Double) {
    let order = pValues.indices.sorted { pValues[$0] < pValues[$1] }
    var outcomes = pValues.map { _ in Outcome(isRejected: false, level: alpha, adjustedPValue: 1) }
    var level = alpha
    var isRejecting = true
    var adjusted = 0.0
    for (step, index) in order.enumerated() {
      let left = Double(order.count - step)
      if isRejecting {
        level = alpha / left
        isRejecting = pValues[index] <= level
      }
      adjusted = max(adjusted, min(1, left * pValues[index]))
      // Rounding may put the product on the other side of alpha than the quotient, so the decision bounds it.
      adjusted = isRejecting ? min(adjusted, alpha) : max(adjusted, min(1, alpha.nextUp))
      outcomes[index] = Outcome(isRejected: isRejecting, level: level, adjustedPValue: adjusted)
    }
    self.outcomes = outcomes
  }
}
