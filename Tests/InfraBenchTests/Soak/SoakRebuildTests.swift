import Foundation
import Latency
import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

/// A result out of a soak's lines, whole and torn.
@Suite struct SoakRebuildTests {
  @Test func theHistogramsAndCountersOfMinutesAreSummed() throws {
    let minutes = [
      SoakSamples.minute(0, latencies: [10, 20, 30]), SoakSamples.minute(1, latencies: [], errors: 2),
      SoakSamples.minute(2, latencies: [40], errors: 1),
    ]
    let document = try SoakSamples.rebuilt(minutes)
    var sum = LatencyHistogram()
    for latency in [10, 20, 30, 40] as [UInt64] { sum.record(latency * 1_000_000) }
    #expect(document.metrics["end_to_end"]?.histogram.data == HistogramV2Codec.encodeCompressedBase64(sum))
    #expect(document.metrics["end_to_end"]?.failures == 3)
    #expect(document.counters["iterations"] == 7 && document.counters["errors"] == 3)
    #expect(document.errors == [.init(kind: "ready: closed", count: 3, example: "the gateway closed")])
    #expect(document.durationSeconds == 180)
    #expect(document.counters["sessions_lost"] == 0 && document.counters["leaked_tasks"] == nil)
  }

  @Test func aRunWithoutItsEndIsInterruptedAndSaysOfHowManyLinesItIs() throws {
    let document = try SoakSamples.rebuilt([SoakSamples.minute(0), SoakSamples.minute(1)])
    #expect(document.verdict == .interrupted)
    #expect(document.notes.first?.contains("rebuilt from 2 lines") == true)
    #expect(document.notes.contains("known before"))
  }

  @Test func whatOnlyTheEndCountsIsNotJudgedWithoutIt() throws {
    var head = SoakSamples.head
    head.thresholds = [
      .init(expression: "unreleased == 0", isDefault: true), .init(expression: "censored == 0", isDefault: true),
      .init(expression: "unreleased == 0", isDefault: false), .init(expression: "dropped == 0", isDefault: true),
    ]
    let document = try SoakSamples.rebuilt([SoakSamples.minute(0)], head: head)
    #expect(document.counters["unreleased"] == nil && document.counters["censored"] == nil)
    #expect(document.thresholds.map(\.skipped) == [true, true, nil, nil])
    #expect(document.thresholds.map(\.pass) == [true, true, false, true])
    #expect(document.notes.first?.contains("whether the generator was saturated, are not known") == true)
    var whole = document
    whole.counters["unreleased"] = 0
    whole.counters["censored"] = 0
    let ended = try SoakSamples.rebuilt([SoakSamples.minute(0)], head: head, end: SoakEnd(of: whole))
    #expect(ended.thresholds.allSatisfy { $0.pass && $0.skipped == nil })
  }

  @Test func anEndGivesWhatOnlyTheEndKnows() throws {
    var whole = try SoakSamples.rebuilt([SoakSamples.minute(0)])
    whole.verdict = .pass
    whole.durationSeconds = 59.5
    whole.counters["leaked_tasks"] = 3
    whole.generator.saturated = true
    whole.findings = ["route": "session"]
    let document = try SoakSamples.rebuilt([SoakSamples.minute(0)], end: SoakEnd(of: whole))
    #expect(document.verdict == .pass && document.durationSeconds == 59.5)
    #expect(document.counters["leaked_tasks"] == 3 && document.generator.saturated)
    #expect(document.findings == ["route": "session"])
    #expect(document.notes.first == "this result was rebuilt from 1 line of the soak's file")
  }

  /// Minutes 1 to 3 and the one before the first are missing.
  private static let gappy = [1, 5, 6, 7, 8].map { number in
    SoakSamples.minute(number, latencies: Array(repeating: 20, count: 57), errors: 3, empty: 3)
  }

  @Test func minutesThatAreMissingAreSaidAndAreInNoDenominator() throws {
    var head = SoakSamples.head
    head.parameters = ["concurrency": 1, "duration": "1h", "timeout": "30s"]
    head.thresholds = ["errors.rate <= 5%", "empty.rate <= 5%"].map { .init(expression: $0, isDefault: false) }
    let document = try SoakSamples.rebuilt(Self.gappy, head: head)
    #expect(document.durationSeconds == 300 && abs(document.generator.cpuUtilisation - 0.05) < 1e-9)
    #expect(Throughput(document: document).line == "1.0/s finished")
    #expect(document.thresholds.map(\.observed) == [5, 5] && document.thresholds.allSatisfy(\.pass))
    let note = try #require(document.notes.first { $0.contains("in no line of the file") })
    #expect(note.hasPrefix("240 s of the run") && note.hasSuffix("of the 300 s that were recorded"), "\(note)")
    #expect(document.soak?.recordedSeconds == 300 && document.soak?.lengthSeconds == 540)
    #expect(TextReport(document).text.contains("240 s of the 540 s are in no line"))
    #expect(ResultRules.violation(in: document) == nil)
    let whole = try SoakSamples.rebuilt([SoakSamples.minute(0), SoakSamples.minute(1)])
    #expect(whole.soak?.recordedSeconds == nil && !whole.notes.contains { $0.contains("in no line") })
  }

  /// A pool that was seen in all that was recorded was seen enough, however much was not recorded.
  @Test func thePoolIsJudgedByTheRecordedTime() throws {
    var head = SoakSamples.head
    head.thresholds = [.init(expression: "empty.rate < 1%", isDefault: false)]
    let far = [SoakSamples.minute(0), SoakSamples.minute(9)]
    #expect(try SoakSamples.rebuilt(far, head: head).thresholds.first?.observed == 0)
    var unseen = far + [SoakSamples.minute(10)]
    unseen[0].pool = nil
    unseen[1].pool = nil
    let judged = try #require(try SoakSamples.rebuilt(unseen, head: head).thresholds.first)
    #expect(judged.reason == "the pool was seen for 60 s of 180 s: less than half of the run", "\(judged)")
  }

  /// The end knows the counters and the length of the whole run: rates of them need no minute.
  @Test func anEndWithoutSomeMinutesIsOfTheWholeRun() throws {
    var whole = try SoakSamples.rebuilt((0..<10).map { SoakSamples.minute($0, errors: 1) })
    whole.verdict = .pass
    let document = try SoakSamples.rebuilt(Self.gappy, end: SoakEnd(of: whole))
    #expect(document.durationSeconds == 600 && document.counters["iterations"] == 30)
    let note = try #require(document.notes.first { $0.contains("in no line of the file") })
    // The last minute is missing too.
    #expect(note.hasPrefix("300 s of the run") && note.contains("counters and errors are of the whole run"), "\(note)")
  }

  @Test func everyLineIsReadAsItWasWritten() throws {
    var document = SampleDocuments.typical
    document.tool = "bench-e2e"
    let lines: [SoakLine] = [
      .head(SoakSamples.head), .minute(SoakSamples.minute(3, errors: 1)), .end(SoakEnd(of: document)),
    ]
    for line in lines {
      let text = try SoakCodec.encode(line)
      #expect(text.hasSuffix("\n") && text.count { $0 == "\n" } == 1)
      #expect(try SoakCodec.decode(text.dropLast().utf8, tools: .suite) == line)
    }
  }

  @Test(
    .enabled(if: DocumentSchema.isAvailable, "needs Python's jsonschema; INFRABENCH_PYTHON names an interpreter"))
  func linesAndRebuiltResultAreValid() async throws {
    var document = SampleDocuments.typical
    document.tool = "bench-e2e"
    let lines: [SoakLine] = [
      .head(SoakSamples.head), .minute(SoakSamples.minute(3, errors: 1)), .end(SoakEnd(of: document)),
    ]
    for line in lines {
      let faults = try await DocumentSchema.faults(in: SoakCodec.encode(line), schema: .soak)
      #expect(faults.isEmpty, "\(faults)")
    }
    let rebuilt = try SoakSamples.rebuilt((0..<20).map { SoakSamples.minute($0) })
    let faults = try await DocumentSchema.faults(in: ResultCoding.encode(rebuilt))
    #expect(faults.isEmpty, "\(faults)")
    let unknown = try await DocumentSchema.faults(in: #"{"hour": {}}"#, schema: .soak)
    #expect(!unknown.isEmpty)
  }

  // MARK: Files

  private func read(_ text: String, name: String = "a.soak.ndjson") throws -> StoredResult {
    let scratch = try ScratchDirectory()
    return try ResultReader.suite.read(scratch.write(name, text))
  }

  @Test func aLastLineThatIsCutOffAnywhereIsLeftOutAndSaid() throws {
    let whole = try SoakSamples.text([.head(SoakSamples.head), .minute(SoakSamples.minute(0))])
    let next = try SoakCodec.encode(.minute(SoakSamples.minute(1)))
    for length in stride(from: 1, to: next.utf8.count - 1, by: 7) {
      let stored = try read(whole + String(decoding: next.utf8.prefix(length), as: UTF8.self))
      #expect(stored.document.soak?.minutes == 1)
      #expect(stored.document.notes.contains { $0.contains("last line is cut off") })
    }
    let stored = try read(whole + next)
    #expect(stored.document.soak?.minutes == 2 && stored.stem == "a")
    #expect(!stored.document.notes.contains { $0.contains("cut off") })
    #expect(stored.contradictions.isEmpty)
  }

  @Test(arguments: [
    ("", "no head"), ("\n", "no soak's file"), ("{}\n", "no soak's file"), ("[]\n", "no soak's file"),
    (#"{"minute": {}}"# + "\n", "no soak's file"), ("\u{0}\u{0}", "no head"), ("\u{0}\u{0}\n", "no soak's file"),
    (#"{"head": {"schema": "infrabench.soak/1"}}"# + "\n", "no soak's file"),
  ])
  func whatIsNoSoaksFileIsNamed(_ sample: (text: String, words: String)) {
    #expect {
      try read(sample.text)
    } throws: {
      "\($0)".contains(sample.words)
    }
  }

  @Test func aRunThatWasKilledInItsFirstMinuteHasNoSampleAndIsShown() throws {
    let document = try read(SoakSamples.text([.head(SoakSamples.head)])).document
    #expect(document.metrics.isEmpty && document.verdict == .interrupted && document.durationSeconds == 0)
    #expect(document.notes.first?.contains("rebuilt from 0 lines") == true)
    #expect(!TextReport(document).text.isEmpty && !MarkdownReport(document).text.isEmpty)
    #expect(!ResultHTML(document).source.isEmpty)
  }

  /// What may stand in place of minute 1, which is line 3, and why it can't be read.
  private static func damagedLines() throws -> [(line: String, words: String)] {
    let minute = try SoakCodec.encode(.minute(SoakSamples.minute(1)))
    var broken = SoakSamples.minute(1)
    broken.histograms["end_to_end"] = "HISTFAAAA"
    var several = SoakSamples.minute(1)
    for number in 0..<300 { several.histograms["m\(number)"] = several.histograms["end_to_end"] }
    return [
      ("nonsense\n", "line 3 (is no JSON object"), ("\n", "line 3 (is no JSON object"),
      (String(repeating: "\u{0}", count: 4096) + "\n", "line 3 (is no JSON object"),
      (String(minute.dropLast(40)) + "\n", "line 3 (is no JSON object"),
      (String(repeating: "[", count: 100_000) + "\n", "line 3 (it is nested deeper"),
      (String(repeating: "x", count: 17 << 20) + "\n", "line 3 (is longer than any minute's"),
      ("{}\n", "line 3 (is none of"),
      (#"{"hour": {}}"# + "\n", "line 3 (is none of"), (#"{"minute": {}}"# + "\n", "line 3 ("),
      (try SoakCodec.encode(.minute(broken)), "line 3 (has a histogram"),
      (try SoakCodec.encode(.minute(several)), "line 3 (has a histogram"),
      (try SoakCodec.encode(.minute(Self.minute(at: -1))), "line 3 (has an impossible time"),
      (try SoakCodec.encode(.minute(Self.minute(at: 60, seconds: -60))), "line 3 (has an impossible time"),
      (try SoakCodec.encode(.minute(Self.minute(at: 60, watched: 3, empty: 4))), "line 3 (has impossible times"),
      (try SoakCodec.encode(.minute(Self.minute(at: 60, empty: -1))), "line 3 (has impossible times"),
    ]
  }

  @Test func aDamagedLineWithinTheFileIsOneLostMinuteAndIsNamedByItsNumber() throws {
    let first = try SoakSamples.text([.head(SoakSamples.head), .minute(SoakSamples.minute(0))])
    let last = try SoakCodec.encode(.minute(SoakSamples.minute(2)))
    let expected = try SoakSamples.rebuilt([SoakSamples.minute(0), SoakSamples.minute(2)])
    for (line, words) in try Self.damagedLines() {
      let document = try read(first + line + last).document
      #expect(document.metrics == expected.metrics && document.counters == expected.counters, "\(words)")
      #expect(document.soak?.minutes == 2 && document.durationSeconds == 120, "\(words)")
      let note = try #require(document.notes.first { $0.contains("damaged") })
      #expect(note.hasPrefix("1 line of the file is damaged and was left out: \(words)"), "\(note)")
      #expect(document.notes.contains { $0.hasPrefix("60 s of the run are in no line") })
    }
  }

  @Test func manyDamagedLinesAreCountedAndTheFirstOnesNamed() throws {
    let (head, last) = (SoakLine.head(SoakSamples.head), SoakLine.minute(SoakSamples.minute(99)))
    let text =
      try SoakSamples.text([head]) + String(repeating: "x\n", count: 99) + SoakSamples.text([last]) + "cut off"
    let document = try read(text).document
    let note = try #require(document.notes.first { $0.contains("damaged") })
    #expect(note.hasPrefix("99 lines of the file are damaged") && note.contains("line 2 (is"), "\(note)")
    #expect(note.contains("line 6 (is") && !note.contains("line 7") && note.hasSuffix(" and 94 more"), "\(note)")
    #expect(document.notes.contains { $0.contains("last line is cut off") })
    #expect(document.soak?.minutes == 1 && document.soak?.recordedSeconds == 60)
  }

  private static func head(every seconds: Double) -> SoakHead {
    var head = SoakSamples.head
    head.everySeconds = seconds
    return head
  }

  private static func minute(at t: Double, seconds: Double = 60, watched: Double = 60, empty: Double = 0) -> SoakMinute
  {
    var minute = SoakSamples.minute(0)
    minute.t = t
    minute.seconds = seconds
    minute.pool?.watchedSeconds = watched
    minute.pool?.emptySeconds = empty
    return minute
  }

  @Test func linesThatNoRunWritesInThisOrderAreRefusedByTheirNumber() throws {
    let (first, second) = (SoakSamples.minute(0), SoakSamples.minute(1))
    let end = SoakEnd(of: try SoakSamples.rebuilt([first]))
    let head = SoakLine.head(SoakSamples.head)
    let samples: [(lines: [SoakLine], words: String)] = [
      ([head, .minute(first), .minute(first)], "line 3 begins before"),
      ([head, .minute(second), .minute(first)], "line 3 begins before"),
      ([head, .minute(first), .end(end), .minute(second)], "line 4 comes after the end"),
      ([head, .minute(first), .end(end), .end(end)], "line 4 comes after the end"),
      ([.head(Self.head(every: -5))], "first line has impossible everySeconds"),
      ([.head(Self.head(every: 1e300))], "first line has impossible everySeconds"),
      ([head, .minute(first), head], "line 3 is another head"), ([.minute(first)], "first line is no head"),
    ]
    for sample in samples {
      let text = try SoakSamples.text(sample.lines)
      #expect {
        try read(text)
      } throws: {
        "\($0)".contains(sample.words)
      }
    }
    let whole: [SoakLine] = [head, .minute(first), .minute(Self.minute(at: 59.9995)), .end(end)]
    #expect(try read(SoakSamples.text(whole)).document.soak?.minutes == 2)
  }

  @Test func aFileHasABoundedNumberOfMinutes() {
    var order = SoakLineOrder()
    let minute = Self.minute(at: 0, seconds: 0)
    var refused = 0
    for _ in 0..<SoakLine.mostMinutes where order.violation(of: .minute(minute)) != nil { refused += 1 }
    #expect(refused == 0)
    let sentence = order.violation(of: .minute(minute))
    #expect(sentence?.contains("more than a soak has") == true)
  }

  @Test func aFileCanNotMakeItsReaderKeepAnyNumberOfMetricsOrErrors() throws {
    var minute = SoakSamples.minute(0)
    let data = try #require(minute.histograms["end_to_end"])
    for number in 0..<300 { minute.histograms["m\(number)"] = data }
    #expect(throws: UnreadableHistogram.self) { try SoakSamples.rebuilt([minute]) }
    let minutes = (0..<4).map { number in
      var minute = SoakSamples.minute(number)
      minute.histograms = ["m\(number)": data]
      minute.errors = (0..<40).map { .init(kind: "\(number)-\($0)", count: 1, example: "") }
      return minute
    }
    let document = try SoakSamples.rebuilt(minutes)
    #expect(document.errors.count == 51 && document.errors.reduce(0) { $0 + $1.count } == 160)
    #expect(document.metrics.count == 4)
  }

  @Test func aLaterSchemaIsRefusedByName() throws {
    var head = SoakSamples.head
    head.schema = "infrabench.soak/2"
    let text = try SoakCodec.encode(.head(head))
    #expect {
      try read(text)
    } throws: {
      "\($0)".contains("infrabench.soak/2")
    }
  }

  // MARK: Reports

  @Test func everyReportShowsTheSeriesAndNoneWithoutASoak() throws {
    let document = try SoakSamples.rebuilt(
      (0..<30).map { SoakSamples.minute($0, rss: 50_000_000 + UInt64($0) * 100_000) })
    let text = TextReport(document).text
    #expect(text.contains("tool_rss") && text.contains("rises"))
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("tool_rss") })
    #expect(line.contains("+6.000 MB"), "\(line)")
    #expect(MarkdownReport(document).text.contains("## Soak"))
    let page = ResultHTML(document).source
    #expect(page.contains("<h2>Soak</h2>") && page.contains("aria-label=\"tool_rss over time: rises\""))
    #expect(!TextReport(SampleDocuments.typical).text.contains("tool_rss"))
    #expect(!ResultHTML(SampleDocuments.typical).source.contains("<h2>Soak</h2>"))
  }
}
