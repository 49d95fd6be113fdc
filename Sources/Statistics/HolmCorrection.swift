/// Holm's step-down procedure (A Simple Sequentially Rejective Multiple Test Procedure, 1979): whichever of the hypotheses are
/// true, the probability of rejecting any true one is at most alpha.
///
/// The smallest of m p-values is judged at alpha/m, the next at alpha/(m − 1), and so on; the first that is not
/// rejected ends it. Rejected ones have their own step's level, all others that of the step that ended it: their p are
/// above it, so intervals at these levels agree with what was rejected.
package struct HolmCorrection {
  /// What became of one p-value.
  package struct Outcome: Equatable {
    package var isRejected: Bool
    package var level: Double
    /// At most alpha exactly where it is rejected.
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
      // The product may round to the other side of alpha than the quotient did.
      adjusted = isRejecting ? min(adjusted, alpha) : max(adjusted, min(1, alpha.nextUp))
      outcomes[index] = Outcome(isRejected: isRejecting, level: level, adjustedPValue: adjusted)
    }
    self.outcomes = outcomes
  }
}
