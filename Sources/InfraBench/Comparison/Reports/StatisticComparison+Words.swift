/// How reports write what is known of one statistic.
extension StatisticComparison {
  /// `allocation P99`; of rates the counter's name.
  package var title: String { statistic == .rate ? metric : "\(metric) \(statistic.title)" }

  /// A value in this statistic's unit.
  package func text(of value: Double) -> String {
    statistic == .rate ? Self.percent(value) : Figures.time(milliseconds: value)
  }

  /// `+14.2%`; of rates in percentage points, `−40.0 pp`.
  package var changeText: String { Self.signed(change) + changeUnit }

  /// `+9.1% … +20.3%`; empty where the runs are too few for an interval.
  package var intervalText: String {
    interval.map { "\(Self.signed($0.lowerBound))\(changeUnit) … \(Self.signed($0.upperBound))\(changeUnit)" } ?? ""
  }

  package var pText: String { pValue < 0.0001 ? "<0.0001" : Figures.decimals(pValue, 4) }

  package var verdictText: String {
    switch verdict {
    case .faster: return statistic == .rate ? "better" : "faster"
    case .slower: return statistic == .rate ? "worse" : "slower"
    case .noChange: return isBelowMinimum ? "no change shown that counts" : "no change shown"
    case .tooFewRuns:
      guard let missing else { return "too few runs" }
      let side = missing.old == 0 ? "NEW " : missing.new == 0 ? "OLD " : ""
      return "too few runs: \(missing.old + missing.new) more \(side)needed"
    }
  }

  private var changeUnit: String { statistic == .rate ? " pp" : "%" }

  private static func signed(_ value: Double) -> String {
    let size = Figures.decimals(abs(value), 1)
    return size == "0.0" ? size : (value < 0 ? "−" : "+") + size
  }

  /// A value in percent, small ones with more places.
  static func percent(_ value: Double) -> String {
    value == 0 ? "0%" : Figures.decimals(value, abs(value) < 1 ? 3 : 1) + "%"
  }
}

extension StatisticComparison.Statistic {
  /// As tables write it.
  package var title: String {
    switch self {
    case .mean, .rate: rawValue
    case .p50, .p95, .p99: rawValue.uppercased()
    }
  }
}
