import TextFormatting

/// A soak's part of a result document: what was watched minute by minute, and whether it grew.
package struct Soak: Codable, Sendable, Equatable {
  /// The unit of a series' values.
  package enum Unit: String, Codable, Sendable {
    case bytes, number, cores, percent
    case milliseconds = "ms"
    case seconds = "s"
  }

  package struct Point: Codable, Sendable, Equatable {
    /// In s from the begin of the measured part.
    package var t: Double
    package var value: Double

    package init(t: Double, value: Double) {
      self.t = t
      self.value = value
    }
  }

  /// A series and its trend: Mann–Kendall's test with the correction of Hamed and Rao, and the slope by Theil and Sen.
  package struct Trend: Codable, Sendable, Equatable {
    /// `tool_rss`, `gateway_cpu`, `end_to_end_p99`, `warm`, …
    package var series: String
    package var unit: Unit
    /// The number of points that were tested: minutes after the first tenth that have the figure.
    package var points: Int
    /// The median of these points; nil without any.
    @AlwaysPresent package var median: Double?
    /// The probability of such a rise or fall in a series without a trend; nil with fewer than 4 points.
    @AlwaysPresent package var p: Double?
    /// S of Mann–Kendall: the pairs of points that rise less those that fall; nil where ``p`` is, and in results of a
    /// version that did not write it.
    package var score: Double?
    /// The slope in the series' unit per hour, and the 95 % interval that it lies in.
    @AlwaysPresent package var perHour: Double?
    @AlwaysPresent package var perHourLow: Double?
    @AlwaysPresent package var perHourHigh: Double?
    /// At most 240 points, those of the first tenth too.
    package var values: [Point]

    package init(
      series: String, unit: Unit, points: Int, median: Double? = nil, p: Double? = nil, perHour: Double? = nil,
      perHourLow: Double? = nil, perHourHigh: Double? = nil, values: [Point] = []
    ) {
      self.series = series
      self.unit = unit
      self.points = points
      self.median = median
      self.p = p
      self.perHour = perHour
      self.perHourLow = perHourLow
      self.perHourHigh = perHourHigh
      self.values = values
    }

    /// Slope and interval per hour in percent of the median; nil where there is no slope, or it has nothing to be
    /// relative to. A series that stays at 0 does not grow.
    package var growth: (percent: Double, low: Double, high: Double)? {
      guard let median, let perHour, let perHourLow, let perHourHigh else { return nil }
      if median == 0 { return perHourLow == 0 && perHourHigh == 0 ? (0, 0, 0) : nil }
      let scale = 100 / abs(median)
      return (perHour * scale, perHourLow * scale, perHourHigh * scale)
    }

    /// What the interval says of the series, and where it touches 0 the test.
    package enum Direction: String, Sendable {
      case rises, falls, flat
      /// The test sees a trend and the interval none: most minutes have equal values, and the others go one way.
      case mayRise = "rises?"
      case mayFall = "falls?"
      /// Too few points to say.
      case unknown = "?"
    }

    package var direction: Direction {
      guard points >= SoakSeries.fewestPoints, let perHourLow, let perHourHigh else { return .unknown }
      if perHourLow > 0 { return .rises }
      if perHourHigh < 0 { return .falls }
      let sign = score ?? perHour ?? 0
      guard let p, p < 1 - SoakSeries.confidence, sign != 0 else { return .flat }
      return sign > 0 ? .mayRise : .mayFall
    }
  }

  package var everySeconds: Double
  /// The number of minutes, the last of which may be shorter.
  package var minutes: Int
  /// The file of the minutes, without its folder.
  package var file: String
  /// The first tenth, which no trend includes.
  package var leftOutSeconds: Double
  /// The time that the minutes tell of; nil where none is missing.
  package var recordedSeconds: Double?
  /// The time that looks at the pool cover, and the part of it without a warm task; nil where the pool was not seen.
  package var watchedSeconds: Double?
  package var emptySeconds: Double?
  package var trends: [Trend]

  package init(
    everySeconds: Double, minutes: Int, file: String, leftOutSeconds: Double, recordedSeconds: Double? = nil,
    watchedSeconds: Double? = nil, emptySeconds: Double? = nil, trends: [Trend]
  ) {
    self.everySeconds = everySeconds
    self.minutes = minutes
    self.file = file
    self.leftOutSeconds = leftOutSeconds
    self.recordedSeconds = recordedSeconds
    self.watchedSeconds = watchedSeconds
    self.emptySeconds = emptySeconds
    self.trends = trends
  }

  /// The share of the watched time without a warm task, in percent; nil where the pool was not seen.
  package var emptyPercent: Double? {
    guard let watchedSeconds, let emptySeconds, watchedSeconds > 0 else { return nil }
    return emptySeconds * 100 / watchedSeconds
  }

  /// The time from the begin to the end of the last minute, from which the part that was left out follows.
  package var lengthSeconds: Double { leftOutSeconds / SoakSeries.leftOut }

  /// The time that the minutes tell of: of it are all shares.
  package var knownSeconds: Double { recordedSeconds ?? lengthSeconds }

  /// Whether looks cover half of the recorded time or more. With fewer the share of the time without a warm task says nothing: a
  /// gateway that does not answer is not a gateway with a full pool.
  package var isPoolWatched: Bool { (watchedSeconds ?? 0) >= knownSeconds / 2 }

  /// The trends that a `<name>_growth` of a threshold is about: the series of that name, or of all processes.
  package func trends(of name: String) -> [Trend] {
    trends.filter { $0.series == name || $0.series == "tool_\(name)" || $0.series == "gateway_\(name)" }
  }

  /// The names that have a `_growth`, beside `<metric>_p50` and `<metric>_p99`.
  package static let growingNames =
    ["rss", "descriptors", "threads", "cpu"].flatMap { [$0, "tool_\($0)", "gateway_\($0)"] }
    + ["errors", "warm", "assigned", "oldest_warm"]
}

extension ResultRules {
  /// The first rule that a soak breaks; nil where it breaks none.
  static func violation(in soak: Soak) -> String? {
    if !SoakLine.lengths.contains(soak.everySeconds) { return "soak.everySeconds is no length of a minute" }
    if soak.minutes < 0 { return "soak.minutes is no number" }
    if !isAmount(soak.leftOutSeconds) { return "soak.leftOutSeconds is no time" }
    if let recorded = soak.recordedSeconds,
      !isAmount(recorded) || recorded > soak.lengthSeconds + SoakSeries.tolerance
    {
      return "soak.recordedSeconds is no part of the run's length"
    }
    let (watched, empty) = (soak.watchedSeconds ?? 0, soak.emptySeconds ?? 0)
    if !isAmount(watched) || empty < 0 || empty > watched {
      return "soak.emptySeconds is no part of soak.watchedSeconds"
    }
    if soak.trends.count > mostNames { return "soak.trends has more than \(mostNames) entries" }
    for trend in soak.trends {
      if !isName(trend.series) { return "'\(trend.series.prefix(40))' is no name of a series" }
      if trend.values.count > mostTimelineRows { return "soak.trends.\(trend.series) has more points than any run" }
      if !trend.values.allSatisfy({ isAmount($0.t) && abs($0.value) < 1e18 }) {
        return "soak.trends.\(trend.series) has an impossible point"
      }
      if let figure = impossibleFigure(of: trend) { return "soak.trends.\(trend.series) has an impossible \(figure)" }
    }
    return nil
  }

  /// The first of a trend's figures that no series has; nil where all are possible.
  private static func impossibleFigure(of trend: Soak.Trend) -> String? {
    func isFigure(_ value: Double?) -> Bool { abs(value ?? 0) <= 1e15 }
    if trend.points < 0 { return "number of points" }
    if !isFigure(trend.median) { return "median" }
    if let p = trend.p, !(0...1).contains(p) { return "p" }
    if !isFigure(trend.score) { return "score" }
    let slopes = [trend.perHourLow, trend.perHour, trend.perHourHigh]
    if !slopes.allSatisfy(isFigure) { return "slope" }
    let known = slopes.compactMap(\.self)
    return known == known.sorted() ? nil : "interval of its slope"
  }
}
