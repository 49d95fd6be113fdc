import Glibc

/// What two sets of runs are compared on.
public enum Scale: Sendable, Equatable {
  /// Values above 0, such as latencies, compared by their logarithms: a change is new/old − 1.
  ///
  /// A file can hold what has no logarithm: 0 and what is negative count as the smallest positive number, infinity as the
  /// largest, so that the order stays and nothing becomes NaN.
  case ratio
  /// Shares of 0 to 1, or any numbers, compared by their differences: a change is new − old.
  case difference

  /// A value where shifts are measured.
  func position(_ value: Double) -> Double {
    switch self {
    case .ratio: log(min(max(value, .leastNonzeroMagnitude), .greatestFiniteMagnitude))
    case .difference: value
    }
  }

  /// A shift as the change that is reported; finite.
  func change(_ shift: Double) -> Double {
    switch self {
    case .ratio: min(expm1(shift), .greatestFiniteMagnitude)
    case .difference: shift
    }
  }

  func change(_ interval: ClosedRange<Double>) -> ClosedRange<Double> {
    let (low, high) = (change(interval.lowerBound), change(interval.upperBound))
    return min(low, high)...max(low, high)
  }
}
