import Latency
import Planning
import Results
import TextFormatting

/// A length that was measured, and by what.
struct MeasuredLength {
  var lengths: LengthDistribution
  /// Its figures, for people.
  var text: String
  /// The metrics and files that it comes from.
  var source: String
}

/// What results of the suite say about the times of a plan.
struct MeasuredTimes {
  var assign: MeasuredLength?
  var taskStart: MeasuredLength?
  var instanceWarm: MeasuredLength?
  var instanceCold: MeasuredLength?
  var notes: [String] = []
  /// The results of embedded gateways.
  var embedded: [String] = []

  /// For each time, the metrics that make it, the best ones first. Metrics of one group follow one another.
  static let assignMetrics = [["warm"]]
  static let taskStartMetrics = [["refill_task"], ["run_task", "pending_to_running", "wait_connection"]]
  static let instanceWarmMetrics = [["warm_start"]]
  static let instanceColdMetrics = [["cold_start"]]
  static var allMetrics: [String] {
    (assignMetrics + taskStartMetrics + instanceWarmMetrics + instanceColdMetrics).flatMap { $0 }
  }
}

extension OptionReader {
  /// Reads results; histograms of one metric are merged over all of them.
  mutating func measuredTimes(_ paths: [String]) -> MeasuredTimes {
    var times = MeasuredTimes()
    var results: [StoredResult] = []
    for path in paths {
      do throws(ResultReadError) {
        let result = try ResultReader.suite.read(path)
        if result.document.metrics.keys.contains(where: MeasuredTimes.allMetrics.contains) {
          results.append(result)
        } else {
          problems.add(
            "--measured",
            "'\(PlainText.line(path))' has no time of a plan: name a result with \(PlainText.list(MeasuredTimes.allMetrics))"
          )
        }
      } catch {
        problems.add("--measured", error.description)
      }
    }
    times.notes = notes(on: results)
    times.embedded = results.filter { $0.document.target.kind == "embedded" }.map { PlainText.line($0.path) }
    times.assign = measured(MeasuredTimes.assignMetrics, results, &times.notes)
    times.taskStart = measured(MeasuredTimes.taskStartMetrics, results, &times.notes)
    times.instanceWarm = measured(MeasuredTimes.instanceWarmMetrics, results, &times.notes)
    times.instanceCold = measured(MeasuredTimes.instanceColdMetrics, results, &times.notes)
    return times
  }

  private func notes(on results: [StoredResult]) -> [String] {
    results.flatMap { result in
      let name = "'\(PlainText.line(result.path))'"
      var notes = result.contradictions.map { "\(name): \($0)" }
      if result.document.build == "debug" { notes.append("\(name) was measured by a debug build") }
      if result.document.verdict != .pass {
        notes.append("\(name) has the verdict \(result.document.verdict.rawValue)")
      }
      return notes
    }
  }

  /// The first of `groups` whose metrics are all there.
  private mutating func measured(
    _ groups: [[String]], _ results: [StoredResult], _ notes: inout [String]
  ) -> MeasuredLength? {
    for group in groups {
      let parts = group.compactMap { measured($0, results, &notes) }
      guard parts.count == group.count, let first = parts.first else { continue }
      if parts.count == 1 { return first }
      notes.append("\(PlainText.list(group, "and")) are drawn as if they were independent of one another")
      return MeasuredLength(
        lengths: .sum(parts.map(\.lengths)), text: parts.map(\.text).joined(separator: " + "), source: first.source)
    }
    return nil
  }

  private mutating func measured(
    _ metric: String, _ results: [StoredResult], _ notes: inout [String]
  ) -> MeasuredLength? {
    var whole: LatencyHistogram?
    let own = results.filter { $0.document.metrics[metric] != nil }
    for result in own {
      guard let document = result.document.metrics[metric] else { continue }
      do {
        let histogram = try document.decodedHistogram(metric)
        whole = try whole?.merging(histogram) ?? histogram
      } catch let error as HistogramError {
        problems.add("--measured", "'\(PlainText.line(result.path))': \(metric): \(error.message)")
      } catch {
        problems.add("--measured", "'\(PlainText.line(result.path))': \(metric) has no histogram that can be read")
      }
      if let failures = document.failures {
        notes.append("\(metric) of '\(PlainText.line(result.path))' leaves out \(failures) failures")
      }
      if let resolution = document.resolution {
        notes.append(
          "\(metric) was found by polling: each time may have been up to \(NumberText.time(milliseconds: resolution)) shorter"
        )
      }
    }
    guard let whole, let lengths = MeasuredLengths(whole) else { return nil }
    if whole.totalCount < 20 {
      notes.append("\(metric) has \(whole.totalCount) samples: the plan rests on few")
    }
    let figures = whole.values(atPercentiles: [50, 99]).map { LatencyText.format($0) }
    return MeasuredLength(
      lengths: .measured(lengths),
      text: "mean \(LatencyText.format(whole.mean)), P50 \(figures[0]), P99 \(figures[1])",
      source: "\(whole.totalCount) × \(metric) of \(PlainText.list(own.map { PlainText.line($0.path) }, "and"))")
  }
}
