import Foundation
import Glibc
import Latency
import TestSupport
import Testing

@testable import InfraBench
@testable import Comparison
@testable import Results

struct ReadingResultsTests {
  private let scratch: ScratchDirectory

  init() throws { scratch = try ScratchDirectory() }

  private func load(_ names: String...) async -> StoredRuns {
    await StoredRuns.load(names.map { $0.isEmpty ? scratch.path : "\(scratch.path)/\($0)" }, .suite)
  }

  @Test func everyResultBelowAFolderIsRead() async throws {
    try SampleRuns.write(SampleRuns.documents(3), "a/2026-11-20", in: scratch)
    try SampleRuns.write(SampleRuns.documents(2, day: "2026-11-21"), "a/2026-11-21/deeper", in: scratch)
    let found = await load("a")
    #expect(found.runs.count == 5 && found.excluded.isEmpty)
    #expect(found.runs.map(\.startedAt) == found.runs.map(\.startedAt).sorted())
    #expect(await load("a/2026-11-20/1-bench-allocation.json").runs.count == 1)
  }

  @Test func linksThatLeadBackAreFollowedOnce() async throws {
    try SampleRuns.write(SampleRuns.documents(2), "a/b", in: scratch)
    symlink("\(scratch.path)/a", "\(scratch.path)/a/b/up")
    symlink("\(scratch.path)/a/b/loop", "\(scratch.path)/a/b/loop")
    symlink("\(scratch.path)/a/b/0-bench-allocation.json", "\(scratch.path)/a/again.json")
    link("\(scratch.path)/a/b/1-bench-allocation.json", "\(scratch.path)/a/hard.json")
    let found = await load("a")
    #expect(found.runs.count == 2)
    #expect(found.excluded.isEmpty)
  }

  @Test func whatIsNoFileIsNeverWaitedFor() async throws {
    try SampleRuns.write(SampleRuns.documents(1), "a", in: scratch)
    mkfifo("\(scratch.path)/a/pipe.json", 0o600)
    symlink("\(scratch.path)/gone", "\(scratch.path)/a/gone.json")
    let found = await load("a", "nothing")
    #expect(found.runs.count == 1)
    #expect(
      found.excluded.map { $0.file.dropFirst(scratch.path.count + 1) + ": " + $0.reason }.sorted() == [
        "a/gone.json: it can't be reached", "a/pipe.json: it is no ordinary file", "nothing: it can't be reached",
      ])
  }

  @Test(arguments: [#"{"schema": "infrabench.summary/1"}"#, "[]", "3", #"{"a": 1}"#, #"{"schema": 1}"#])
  func otherJSONIsPassedOver(_ text: String) async throws {
    try scratch.write("a/other.json", text)
    let found = await load("a")
    #expect(found.runs.isEmpty && found.excluded.isEmpty)
    // Who names a file is told that it is none.
    #expect(await load("a/other.json").excluded.map(\.reason) == ["it is no result of this suite"])
  }

  private static func changed(_ change: (inout [String: Any]) -> Void) throws -> String {
    let text = try ResultCoding.encode(SampleRuns.document())
    var object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    change(&object)
    return String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
  }

  @Test func resultsThatCannotBeReadAreNamed() async throws {
    let whole = try ResultCoding.encode(SampleRuns.document())
    func time(_ value: Any) throws -> String {
      try Self.changed { document in
        var metrics = document["metrics"] as? [String: Any] ?? [:]
        var metric = metrics["allocation"] as? [String: Any] ?? [:]
        metric["p99"] = value
        metrics["allocation"] = metric
        document["metrics"] = metrics
      }
    }
    let files: [(text: String, reason: String)] = [
      (String(whole.prefix(whole.count / 2)), "it is no JSON: it may be cut off"),
      ("", "it is no JSON: it may be cut off"),
      (
        try Self.changed { $0["schema"] = "infrabench.result/2" },
        "it is of the newer schema 'infrabench.result/2': show it with the suite that wrote it, or a later one"
      ),
      (try Self.changed { $0["tool"] = nil }, "tool is missing"),
      (try Self.changed { $0["counters"] = [1] }, "counters is of the wrong kind"),
      (try Self.changed { $0["verdict"] = "splendid" }, "verdict is wrong"),
      (try Self.changed { $0["startedAt"] = "yesterday" }, "startedAt is no time in UTC with milliseconds"),
      (
        try Self.changed { $0["startedAt"] = "2026-02-30T10:00:00.000Z" },
        "startedAt is no time in UTC with milliseconds"
      ),
      (try time(0), "metrics.allocation has a time that is none between 1 ns and 1 h"),
      (try time(-1), "metrics.allocation has a time that is none between 1 ns and 1 h"),
      (try time(1e-7), "metrics.allocation has a time that is none between 1 ns and 1 h"),
      (try time(3.7e6), "metrics.allocation has a time that is none between 1 ns and 1 h"),
      (try time(1.7e308), "metrics.allocation has a time that is none between 1 ns and 1 h"),
      (try time("fast"), "metrics.allocation.p99 is of the wrong kind"),
    ]
    for (number, file) in files.enumerated() { try scratch.write("a/\(100 + number).json", file.text) }
    let found = await load("a")
    #expect(found.runs.isEmpty)
    let reasons = found.excluded.sorted { $0.file < $1.file }.map(\.reason)
    #expect(reasons == files.map(\.reason))
  }

  @Test(arguments: StoredResultTests.beyondADecoder)
  func whatIsBeyondADecoderIsNamedForWhatItIs(_ field: String, _ text: String, _ reason: String) async throws {
    let whole = try ResultCoding.encode(SampleRuns.document())
    try scratch.write("a.json", try StoredResultTests.edited(whole, field, raw: text))
    #expect(await load("a.json").excluded.map(\.reason) == [reason])
  }

  @Test func aRunCountsOnce() async throws {
    let documents = SampleRuns.documents(2)
    try SampleRuns.write(documents, "a", in: scratch)
    try SampleRuns.write([documents[1]], "a/copies", in: scratch)
    let runs = await load("a").comparable
    #expect(runs.runs.count == 2)
    #expect(runs.excluded.count == 1)
    #expect(runs.excluded.first?.reason.hasPrefix("another file of the run in \(scratch.path)/a/") == true)
  }

  @Test func runsThatSayNothingAreLeftOutAndNamed() throws {
    let changes: [(change: (inout ResultDocument) -> Void, reason: String?)] = [
      ({ $0.build = "debug" }, "debug"), ({ $0.verdict = .interrupted }, "interrupted"),
      (
        {
          $0.verdict = .error; $0.counters["iterations"] = 0
        }, "worthless"
      ),
      (
        {
          $0.verdict = .error; $0.generator.saturated = true
        }, "worthless"
      ),
      (
        {
          $0.verdict = .error; $0.build = "debug"
        }, "debug"
      ), ({ $0.verdict = .error }, nil),
      ({ $0.generator.saturated = true }, "saturated"),
      ({ $0.findings = ["merged_runs": 6] }, "a merge"), ({ $0.verdict = .fail }, nil), ({ _ in }, nil),
    ]
    for (number, (change, reason)) in changes.enumerated() {
      var document = SampleRuns.document(number: number)
      change(&document)
      let runs = try SampleRuns.stored([document]).comparable
      #expect(runs.runs.count == (reason == nil ? 1 : 0))
      #expect(runs.excluded.count == (reason == nil ? 0 : 1))
      if let reason { #expect(runs.excluded.first?.reason.contains(reason) == true) }
    }
  }

  @Test func aHistogramThatCannotBeReadLeavesItsRunOut() async throws {
    var old = SampleRuns.documents()
    old[2].metrics["allocation"]?.histogram.data = "HISTFAAAAnonsense"
    let comparison = try await SampleRuns.compare(old, SampleRuns.documents(day: "2026-11-21"))
    #expect(comparison.groups.map(\.runsOld) == [5])
    #expect(comparison.excluded.map(\.file) == ["results/2.json"])
    #expect(comparison.excluded.first?.reason.hasPrefix("metrics.allocation.histogram: ") == true)
  }

  /// What is tested are the figures, what is shown together the histograms.
  @Test func figuresThatAreNotTheHistogramsLeaveTheirRunOut() async throws {
    let figures = [\MetricDocument.mean, \.p50, \.p95, \.p99]
    let reason = "metrics.gateway_latency: its figures are not its histogram's: bench-report shows them"
    for figure in figures {
      for (factor, reasons) in [(1.01, [reason]), (0.99, [reason]), (1.000_01, [])] {
        var old = SampleRuns.documents()
        old[2].metrics["gateway_latency"]?[keyPath: figure] *= factor
        let comparison = try await SampleRuns.compare(old, SampleRuns.documents(day: "2026-11-21"))
        #expect(comparison.groups.map(\.runsOld) == [6 - reasons.count])
        #expect(comparison.excluded.map(\.reason) == reasons)
      }
    }
  }

  /// The last bucket of a result ends beyond the hour.
  @Test func timesOfAnHourAreRead() async throws {
    let new = SampleRuns.documents(day: "2026-11-21") {
      $0.metrics["allocation"] = SampleDocuments.metric([1, 3_600_000_000_000, 9_000_000_000_000])
    }
    let comparison = try await SampleRuns.compare(SampleRuns.documents(), new)
    #expect(comparison.excluded.isEmpty && comparison.groups.map(\.runsNew) == [6])
  }

  /// Tests need the figures only.
  @Test func histogramsOfAnotherResolutionAreComparedAndNotShownTogether() async throws {
    var old = SampleRuns.documents()
    var coarse = LatencyHistogram(
      layout: try HistogramLayout(
        lowestDiscernibleValue: 1, highestTrackableValue: 3_600_000_000_000, significantDigits: 2))
    for value in SampleRuns.latencies(1) { coarse.record(value) }
    // The first run is the odd one: it must not throw out the others.
    old[0].metrics["allocation"] = MetricDocument(coarse)
    let comparison = try await SampleRuns.compare(old, SampleRuns.documents(factor: 1.15, day: "2026-11-21"))
    #expect(comparison.excluded.isEmpty && comparison.groups.map(\.runsOld) == [6])
    let metric = try #require(comparison.metric("allocation"))
    #expect(metric.statistics.allSatisfy { $0.old.count == 6 && $0.verdict == .slower })
    #expect(metric.pooledOld.summary == nil && metric.pooledNew.runs == 6)
    #expect(comparison.metric("gateway_latency")?.pooledOld.runs == 6)
    #expect(
      comparison.notes.contains { $0.hasPrefix("bench-allocation, allocation: the OLD runs are not shown together") })
    let document = try ResultCoding.encode(ComparisonDocument(comparison))
    #expect(document.contains("\"old\" : null"))
  }
}
