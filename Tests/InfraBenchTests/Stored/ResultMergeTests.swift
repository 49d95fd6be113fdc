import Latency
import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

@Suite struct ResultMergeTests {
  private let scratch: ScratchDirectory

  init() throws { scratch = try ScratchDirectory() }

  private func merge(_ runs: [ResultDocument]) throws -> ResultDocument {
    try ResultMerge.merge(StoredSamples.stored(runs, in: scratch))
  }

  private static func day(_ day: Int, _ hour: Int = 10) -> String { "2026-11-\(day)T\(hour):00:00.000Z" }

  /// Several runs of different lengths, on two days.
  private static let values = (0..<5).map { StoredSamples.latencies(200 * ($0 + 1), seed: UInt64($0)) }
  private static let runs = values.enumerated().map { number, values in
    StoredSamples.run(
      values, startedAt: day(21 - number % 2, 10 + number), seed: Int64(number), errors: UInt64(number % 2))
  }

  @Test func mergingIsExactlyRecordingAllValuesIntoOne() throws {
    let merged = try merge(Self.runs)
    let union = SampleDocuments.metric(Array(Self.values.joined()), failed: FailedPart(2, of: 3002))
    #expect(merged.metrics == ["allocation": try #require(union)])
    #expect(merged.metrics["allocation"]?.count == 3000)
  }

  @Test func theOrderOfTheFilesDoesNotMatter() throws {
    #expect(try merge(Self.runs) == merge(Self.runs.reversed()))
  }

  @Test func whatCanBeAddedIsAdded() throws {
    let merged = try merge(Self.runs)
    #expect(merged.counters["iterations"] == 3002 && merged.counters["errors"] == 2)
    #expect(merged.errors == [.init(kind: "http_503", count: 2, example: "status 503, seed 1")])
    #expect(abs(merged.durationSeconds - 5 * 12.345) < 1e-9)
    #expect(abs(merged.generator.cpuUtilisation - 0.12) < 1e-12)
    #expect(merged.generator.scheduleLatenessP99Ms == 0.08 && merged.generator.scheduleLatenessP50Ms == nil)
    #expect(merged.startedAt == Self.day(20, 11))
    #expect(merged.parameters["seed"] == .null && merged.parameters["count"] == 10)
    #expect(merged.mergedRuns == 5)
    #expect(
      merged.notes == [
        "5 runs were merged, of 2026-11-20 (2), 2026-11-21 (3): runs of one day share that day and are not independent, "
          + "so that the samples are fewer than they seem"
      ])
  }

  @Test func thresholdsAreJudgedByTheMergedFigures() throws {
    // 1 % of the one run are slow, and 0.5 % of both together.
    let slow = Array(repeating: 5_000_000 as UInt64, count: 980) + Array(repeating: 900_000_000, count: 20)
    let runs = [
      StoredSamples.run(slow, startedAt: Self.day(20)),
      StoredSamples.run(Array(repeating: 5_000_000, count: 2000), startedAt: Self.day(21)),
    ]
    #expect(runs.map(\.verdict) == [.fail, .pass])
    let merged = try merge(runs)
    #expect(merged.verdict == .pass)
    #expect(merged.thresholds.map(\.expression) == StoredSamples.thresholds)
    #expect(merged.thresholds.map { $0.observed ?? -1 }.dropFirst().first == merged.metrics["allocation"]?.p99)
    #expect(merged.thresholds[2].skipped == true)
  }

  @Test func thresholdsOfAnyRunAreJudged() throws {
    let own = StoredSamples.run([5_000_000], startedAt: Self.day(21), thresholds: ["allocation.p50 < 1ms"])
    let merged = try merge([StoredSamples.run([5_000_000], startedAt: Self.day(20)), own])
    #expect(merged.thresholds.map(\.expression) == StoredSamples.thresholds + ["allocation.p50 < 1ms"])
    #expect(merged.verdict == .fail)
  }

  @Test func aRunThatMissedItsMetricMissesTheThresholdInTheMergeToo() throws {
    var missed = StoredSamples.run([], startedAt: Self.day(21))
    missed.thresholds = [
      .init(expression: "allocation.p99 < 200ms", observed: nil, pass: false, reason: "the pool never got full")
    ]
    let merged = try merge([StoredSamples.run([5_000_000], startedAt: Self.day(20)), missed])
    let threshold = try #require(merged.thresholds.first { $0.expression == "allocation.p99 < 200ms" })
    #expect(!threshold.pass && threshold.reason == "the pool never got full")
    #expect(merged.verdict == .fail)
    #expect(merged.notes.contains("1 of 2 runs measured nothing of what it was there for (verdict error)"))
  }

  @Test func failuresMakePercentilesUnreliableByTheirShareOfAllIterations() throws {
    let sound = StoredSamples.run(Array(repeating: 1_000_000, count: 900), startedAt: Self.day(20))
    let failing = StoredSamples.run(Array(repeating: 1_000_000, count: 90), startedAt: Self.day(21), errors: 10)
    #expect(failing.metrics["allocation"]?.unreliable == ["p95", "p99", "p999", "max"])
    #expect(try merge([sound, failing]).metrics["allocation"]?.unreliable == ["p999", "max"])
    // Unfinished starts count, but for those of a run that was ended early.
    var unfinished = sound
    unfinished.counters["censored"] = 100
    #expect(try merge([unfinished, failing]).metrics["allocation"]?.unreliable == ["p95", "p99", "p999", "max"])
    unfinished.verdict = .interrupted
    #expect(try merge([unfinished, failing]).metrics["allocation"]?.unreliable == ["p999", "max"])
  }

  @Test func polledTimesKeepTheCoarsestResolutionAndWhatWasUnreliable() throws {
    func polled(_ resolution: Nanoseconds, day: Int, unreliable: [String]) -> ResultDocument {
      var document = SampleDocuments.polled
      document.startedAt = Self.day(day)
      document.thresholds = []
      document.verdict = .pass
      document.metrics["refill_full"] = SampleDocuments.metric([UInt64(day) * 1_000_000_000], resolution: resolution)
      document.metrics["refill_full"]?.unreliable = unreliable
      return document
    }
    let merged = try merge([
      polled(.milliseconds(500), day: 20, unreliable: []),
      polled(.milliseconds(700), day: 21, unreliable: ["p99", "p999"]),
    ])
    #expect(merged.metrics["refill_full"]?.resolution == 700)
    #expect(merged.metrics["refill_full"]?.unreliable == ["p99", "p999"])
    #expect(merged.metrics["refill_full"]?.count == 2 && merged.timeline == nil)
    #expect(merged.notes.contains("each run's timeline is left out"))
  }

  @Test func runsThatAreLessThanTheyShouldBeAreNamed() throws {
    var (interrupted, saturated) = (Self.runs[0], Self.runs[2])
    interrupted.verdict = .interrupted
    interrupted.build = "debug"
    saturated.generator.saturated = true
    saturated.generator.saturatedReason = "a loop was busy"
    saturated.verdict = .fail
    var merged = try merge([interrupted, saturated, Self.runs[4]])
    #expect(merged.generator.saturated && merged.verdict == .fail && merged.build == "debug")
    #expect(merged.generator.saturatedReason == "1 of 3 runs, the first because: a loop was busy")
    for note in [
      "1 of 3 runs ended early: interrupted", "1 of 3 runs had a saturated generator",
      "1 of 3 runs came from a debug build: latencies are higher than a release build's",
    ] { #expect(merged.notes.contains(note), "\(merged.notes)") }
    // Allowed saturation stays allowed, if it was in every run that had it.
    saturated.notes = [Saturation.allowedNote]
    saturated.verdict = .pass
    merged = try merge([interrupted, saturated])
    #expect(merged.verdict == .pass && merged.notes.filter { $0 == Saturation.allowedNote }.count == 1)
    var refused = Self.runs[4]
    refused.generator.saturated = true
    refused.verdict = .fail
    #expect(try merge([refused, saturated]).verdict == .fail)
  }

  @Test func runsThatAllEndedEarlyOrMeasuredNothingMergeToThat() throws {
    func all(_ verdict: ResultDocument.Verdict) throws -> ResultDocument.Verdict {
      try merge(
        [0, 2].map {
          var run = Self.runs[$0]
          run.verdict = verdict
          return run
        }
      ).verdict
    }
    #expect(try all(.interrupted) == .interrupted)
    #expect(try all(.error) == .error)
    let empty = try merge([
      StoredSamples.run([], startedAt: Self.day(20)), StoredSamples.run([], startedAt: Self.day(21)),
    ])
    #expect(empty.verdict == .error && empty.metrics.isEmpty)
  }

  @Test func whatDiffersIsLeftOutAndSaid() throws {
    var (first, second) = (Self.runs[1], Self.runs[0])
    first.label = "a"
    second.label = "b"
    second.environment.kernel = "Linux 6.2"
    second.target.gatewayUrl = "http://127.0.0.1:2"
    first.findings = ["same": 1, "other": 1]
    second.findings = ["same": 1, "other": 2]
    second.counters["misses"] = nil
    first.notes = ["shared", "one"]
    second.notes = ["two", "shared"]
    let merged = try merge([first, second])
    #expect(merged.label == nil && merged.target.gatewayUrl == nil)
    #expect(merged.findings == ["same": 1, "merged_runs": 2])
    #expect(
      Array(merged.notes.dropFirst()) == [
        "the runs differ in kernel and label: what is shown of the machine and the version is the earliest run's",
        "misses was counted in 1 of 2 runs", "findings that differ between the runs are left out: other", "shared",
        "one",
        "two",
      ])
  }

  private static func document(_ day: Int, digits: Int, highest: UInt64, _ values: [UInt64]) throws -> ResultDocument {
    var histogram = LatencyHistogram(
      layout: try HistogramLayout(lowestDiscernibleValue: 1, highestTrackableValue: highest, significantDigits: digits))
    for value in values { histogram.record(value) }
    var document = StoredSamples.run([1], startedAt: Self.day(day), seed: Int64(day), thresholds: [])
    document.metrics["allocation"] = MetricDocument(histogram)
    document.metrics["allocation"]?.histogram.significantDigits = digits
    document.counters["iterations"] = UInt64(values.count)
    return document
  }

  @Test func histogramsOfOtherResolutionsAreRefusedByName() throws {
    let runs = [
      try Self.document(20, digits: 3, highest: 3_600_000_000_000, [1_000_000]),
      try Self.document(21, digits: 2, highest: 3_600_000_000_000, [1_000_000]),
    ]
    let stored = try StoredSamples.stored(runs, in: scratch)
    do throws(ResultMergeError) {
      _ = try ResultMerge.merge(stored)
      Issue.record("it was merged")
    } catch {
      #expect(
        error.sentences == [
          "'\(scratch.path)/run-1.json', allocation: cannot merge histograms of different resolution: 3 digits from 1 "
            + "on, and 2 digits from 1 on"
        ])
    }
  }

  /// Whichever comes first: only how far they reach differs.
  @Test func histogramsOfOtherRangesAreMerged() throws {
    let short = try Self.document(20, digits: 3, highest: 10_000_000, [1_000_000, 2_000_000])
    let long = try Self.document(21, digits: 3, highest: 3_600_000_000_000, [5_000_000_000])
    var (earlier, later) = (short, long)
    for _ in 0..<2 {
      let merged = try merge([earlier, later])
      #expect(merged.metrics["allocation"]?.count == 3)
      #expect(abs((merged.metrics["allocation"]?.max ?? 0) - 5000) < 5)
      (earlier, later) = (long, short)
      (earlier.startedAt, later.startedAt) = (Self.day(20), Self.day(21))
    }
  }

  /// What a single run fails by, its merge fails by: whatever the others were like.
  @Test func maximaAndMeansOfRunsWithFailuresAnswerForThem() throws {
    func run(_ day: Int, errors: UInt64) -> ResultDocument {
      var run = StoredSamples.run(Array(repeating: 2_000_000, count: 100), startedAt: Self.day(day), errors: errors)
      run.parameters["timeout"] = "50ms"
      run.thresholds = ["allocation.max < 60ms", "allocation.mean < 4ms"].map {
        .init(expression: $0, observed: 2, pass: true)
      }
      return run
    }
    let merged = try merge([run(20, errors: 0), run(21, errors: 10)])
    #expect(merged.metrics["allocation"]?.failures == 10)
    #expect(merged.thresholds.map(\.pass) == [false, false] && merged.verdict == .fail)
    #expect(
      merged.thresholds[0].reason?.hasPrefix("10 failed or were not finished, and may have been the slowest") == true)
    // (200 × 2 ms + 10 × 50 ms) / 210
    #expect(merged.thresholds[1].reason?.contains("counted at the time-out of 50ms this makes it 4.29ms") == true)
    #expect(try merge([run(20, errors: 0), run(21, errors: 0)]).thresholds.map(\.pass) == [true, true])
  }

  @Test func versionsOfOtherMeaningsAreNamed() throws {
    var old = Self.runs[0]
    old.version = "0.1.0"
    #expect(
      try merge([old, Self.runs[2]]).notes.contains {
        $0.hasPrefix("the runs are of versions whose figures mean different things: since 0.2.0 ")
      })
  }

  @Test func countsBeyondAllBoundsStopAtTheLargest() throws {
    var (first, second) = (Self.runs[0], Self.runs[2])
    first.counters["misses"] = .max
    second.counters["misses"] = 5
    #expect(try merge([first, second]).counters["misses"] == .max)
  }

  @Test(.enabled(if: DocumentSchema.isAvailable, "needs Python's jsonschema; INFRABENCH_PYTHON names an interpreter"))
  func mergedDocumentsKeepToTheSchema() async throws {
    for runs in [Self.runs, [StoredSamples.run([], startedAt: Self.day(20)), Self.runs[0]]] {
      let faults = try await DocumentSchema.faults(in: try ResultCoding.encode(merge(runs)))
      #expect(faults == [])
    }
  }

  @Test func aMergeIsReadWithoutContradiction() throws {
    let merged = try merge(Self.runs)
    let read = try StoredSamples.stored(merged, "merged.json", in: scratch)
    #expect(read.document == merged && read.contradictions == [])
  }

  @Test func aMergedReportIsTheGoldenOne() throws {
    var runs = Array(Self.runs[0...2])
    runs[1].timeline = SampleDocuments.loadTimeline
    let rendering = ResultRendering(try merge(runs))
    try Golden.expect(rendering.text(usesColor: false), "report-merged.txt")
    try Golden.expect(rendering.markdown, "report-merged.md")
  }
}
