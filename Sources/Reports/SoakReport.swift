import Results
import TextFormatting

/// A soak's series as a table, with sentences on how to read it.
struct SoakReport {
  private let soak: Soak

  /// Nil for a run that is no soak.
  init?(_ document: ResultDocument) {
    guard let soak = document.soak, !soak.trends.isEmpty else { return nil }
    self.soak = soak
  }

  var table: Table {
    var table = Table(["series", "points", "median", "per hour", "95 % from", "to", "%/h", "p", "trend"])
    for trend in soak.trends {
      let slope = [trend.perHour, trend.perHourLow, trend.perHourHigh].map { slope in
        slope.map { Self.signed($0, trend.unit) } ?? "–"
      }
      table.add(
        [trend.series, "\(trend.points)", trend.median.map { Self.text($0, trend.unit) } ?? "–"] + slope + [
          trend.growth.map { NumberText.signed($0.percent, 2) } ?? "–", trend.p.map(Self.probability) ?? "–",
          trend.direction.rawValue,
        ])
    }
    return table
  }

  /// Sentences below the table.
  var remarks: [String] {
    let minute = soak.everySeconds == 60 ? "minutes" : "intervals of \(NumberText.decimals(soak.everySeconds, 0)) s"
    var remarks = [
      "\(soak.minutes) \(minute), the first \(NumberText.decimals(soak.leftOutSeconds, 0)) s left out. A series rises "
        + "or falls where its whole interval does (Theil–Sen, Mann–Kendall corrected for autocorrelation); with a question "
        + "mark only the test says so (p < 0.05)."
    ]
    if soak.recordedSeconds != nil {
      remarks.append(
        "\(NumberText.decimals(soak.lengthSeconds - soak.knownSeconds, 0)) s of the "
          + "\(NumberText.decimals(soak.lengthSeconds, 0)) s are in no line of the soak's file, and in no series")
    }
    if let percent = soak.emptyPercent, let watched = soak.watchedSeconds {
      remarks.append(
        "the pool had no warm task for \(NumberText.decimals(percent, 2))% of the \(NumberText.decimals(watched, 0)) s in "
          + "which it was watched")
    }
    return remarks
  }

  /// A value with its unit.
  static func text(_ value: Double, _ unit: Soak.Unit) -> String {
    switch unit {
    case .bytes: "\(NumberText.fixed(value / 1_000_000, significant: 4)) MB"
    case .number: NumberText.fixed(value, significant: 3)
    case .cores: NumberText.decimals(value, 4)
    case .percent: "\(NumberText.fixed(value, significant: 3))%"
    case .milliseconds: NumberText.time(milliseconds: value)
    case .seconds: "\(NumberText.fixed(value, significant: 3)) s"
    }
  }

  private static func signed(_ value: Double, _ unit: Soak.Unit) -> String {
    // What rounds to nothing has no sign.
    guard value > 0, text(value, unit).contains(where: { ("1"..."9").contains($0) }) else { return text(value, unit) }
    return "+" + text(value, unit)
  }

  private static func probability(_ p: Double) -> String {
    p < 0.001 ? "<0.001" : NumberText.decimals(p, 3)
  }
}
