package import Latency
import Statistics

/// What a soak watches minute by minute, and whether it grows. A value type: minutes are added in their order.
package struct SoakSeries: Sendable, Equatable {
  /// One series: a figure of each minute, NaN where a minute has none.
  package struct Series: Sendable, Equatable {
    package var name: String
    package var unit: Soak.Unit
    package var values: [Double] = []
  }

  /// The middle of each minute, in s from the begin.
  private var times: [Double] = []
  /// The end of the last minute, in s from the begin.
  package private(set) var lengthSeconds = 0.0
  /// The time before and between minutes that no minute tells of: its line was lost.
  package private(set) var missingSeconds = 0.0
  private var series: [Series] = []
  private var watchedSeconds = 0.0
  private var emptySeconds = 0.0
  private let headlines: [String]
  private let everySeconds: Double
  /// Series that a threshold names.
  private let named: Set<String>
  /// Minutes, short ones too.
  package private(set) var minutes = 0

  /// The time that the minutes tell of.
  package var recordedSeconds: Double { lengthSeconds - missingSeconds }

  /// The share of the run that is left out at its begin: caches fill, and connections are made.
  package static let leftOut = 0.1
  /// The probability with which an interval holds the true slope.
  package static let confidence = 0.95
  /// With fewer points a trend is shown, and no threshold is judged by it.
  package static let fewestPoints = 10
  /// The most points of a series in a document, which a picture shows. Longer series are divided into blocks.
  package static let mostShown = 240
  /// Times are written with more digits than clocks have: a sum of them may be off by the last one. In s.
  static let tolerance = 0.001

  /// - Parameters:
  ///   - headlines: The metrics whose latencies are watched, the most important one first. The result has those of one.
  ///   - everySeconds: The length of a minute.
  ///   - named: Series that thresholds name: the result has them too.
  package init(headlines: [String], everySeconds: Double, named: Set<String> = []) {
    self.headlines = headlines
    self.everySeconds = everySeconds
    self.named = named
  }

  /// Adds the next minute. Shares and percentiles of a part of a minute vary more than those of a whole one, so the
  /// last minute is no point of a series where it is shorter than half of one.
  ///
  /// - Parameter histograms: Its latencies by metric.
  package mutating func add(_ minute: SoakMinute, _ histograms: [String: LatencyHistogram]) {
    minutes += 1
    if minute.t - lengthSeconds > Self.tolerance { missingSeconds += minute.t - lengthSeconds }
    lengthSeconds = minute.t + minute.seconds
    watchedSeconds += minute.pool?.watchedSeconds ?? 0
    emptySeconds += minute.pool?.emptySeconds ?? 0
    guard minute.seconds >= everySeconds / 2 else { return }
    times.append(minute.t + minute.seconds / 2)
    for (owner, process) in [("tool", minute.tool), ("gateway", minute.gateway)] {
      put("\(owner)_rss", .bytes, process.map { Double($0.rssBytes) })
      put("\(owner)_descriptors", .number, process.map { Double($0.descriptors) })
      put("\(owner)_threads", .number, process.map { Double($0.threads) })
      put("\(owner)_cpu", .cores, process?.cpu)
    }
    for name in headlines {
      let values = histograms[name].flatMap { $0.isEmpty ? nil : $0.values(atPercentiles: [50, 99]) }
      put("\(name)_p50", .milliseconds, values.map { Nanoseconds($0[0]).milliseconds })
      put("\(name)_p99", .milliseconds, values.map { Nanoseconds($0[1]).milliseconds })
    }
    let iterations = minute.counters["iterations"] ?? 0
    put("errors", .percent, iterations > 0 ? Double(minute.counters["errors"] ?? 0) * 100 / Double(iterations) : nil)
    put("warm", .number, minute.pool?.warm)
    put("assigned", .number, minute.pool?.assigned)
    put("oldest_warm", .seconds, minute.pool?.oldestWarmSeconds)
    for index in series.indices where series[index].values.count < times.count { series[index].values.append(.nan) }
  }

  private mutating func put(_ name: String, _ unit: Soak.Unit, _ value: Double?) {
    guard let value, value.isFinite else { return }
    if let index = series.firstIndex(where: { $0.name == name }) {
      series[index].values.append(value)
    } else {
      series.append(Series(name: name, unit: unit, values: Array(repeating: .nan, count: times.count - 1) + [value]))
    }
  }

  /// The soak as the result document has it.
  package func soak(file: String) -> Soak {
    let leftOutSeconds = lengthSeconds * Self.leftOut
    let headline = headline(from: leftOutSeconds)
    let latencies = headlines.flatMap { metric in
      ["\(metric)_p50", "\(metric)_p99"].filter { metric == headline || named.contains($0) }
    }
    let order =
      ["tool", "gateway"].flatMap { owner in ["rss", "descriptors", "threads", "cpu"].map { "\(owner)_\($0)" } }
      + latencies + ["errors", "warm", "assigned", "oldest_warm"]
    let shown = order.compactMap { name in series.first { $0.name == name } }
    return Soak(
      everySeconds: everySeconds, minutes: minutes, file: file, leftOutSeconds: leftOutSeconds,
      recordedSeconds: missingSeconds > 0 ? recordedSeconds : nil,
      watchedSeconds: watchedSeconds > 0 ? watchedSeconds : nil, emptySeconds: watchedSeconds > 0 ? emptySeconds : nil,
      trends: shown.map { trend(of: $0, from: leftOutSeconds) })
  }

  /// The metric whose latencies are shown: the first one that has a trend, else the one with most points. It is chosen by
  /// the whole run: a single warm start in a run of cold ones must not hide these.
  private func headline(from begin: Double) -> String? {
    let points = headlines.compactMap { metric -> (metric: String, count: Int)? in
      guard let values = series.first(where: { $0.name == "\(metric)_p50" })?.values else { return nil }
      return (metric: metric, count: zip(times, values).filter { $0.0 >= begin && $0.1.isFinite }.count)
    }
    let most = points.map { $0.count }.max() ?? 0
    return points.first { $0.count >= min(most, Self.fewestPoints) }?.metric
  }

  private func trend(of series: Series, from begin: Double) -> Soak.Trend {
    let kept = zip(times, series.values).filter { $0.0 >= begin && $0.1.isFinite }
    let (hours, values) = (kept.map { $0.0 / 3600 }, kept.map(\.1))
    var trend = Soak.Trend(
      series: series.name, unit: series.unit, points: kept.count,
      median: kept.isEmpty ? nil : Statistics.median(of: values), values: shownPoints(series))
    if let test = TrendTest(times: hours, values: values) {
      let interval = test.slopeInterval(confidence: Self.confidence)
      trend.p = test.p
      trend.score = test.score
      trend.perHour = test.slope
      trend.perHourLow = interval.lowerBound
      trend.perHourHigh = interval.upperBound
    }
    return trend
  }

  /// The points for a picture, those of the first tenth too: means of blocks of minutes.
  private func shownPoints(_ series: Series) -> [Soak.Point] {
    let block = max(1, (times.count + Self.mostShown - 1) / Self.mostShown)
    return stride(from: 0, to: times.count, by: block).compactMap { start in
      let part = (start..<min(start + block, times.count)).filter { series.values[$0].isFinite }
      guard !part.isEmpty else { return nil }
      let count = Double(part.count)
      return Soak.Point(
        t: part.reduce(0) { $0 + times[$1] / count }, value: part.reduce(0) { $0 + series.values[$1] / count })
    }
  }
}
