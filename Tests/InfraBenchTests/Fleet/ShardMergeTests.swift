import FoundationEssentials
import Latency
import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

/// Made results of shards, and what one generator with all their samples would have.
struct MadeShards {
  var documents: [ResultDocument] = []
  var all = LatencyHistogram()
  var lateness = LatencyHistogram()
  var rows: [LatencyHistogram] = []

  static let startAt = "2026-12-01T12:00:10.000Z"

  /// - Parameters:
  ///   - count: how many shards.
  ///   - rows: how many intervals of 1 s the timeline has.
  init(_ count: Int, samples: Int = 200, rows rowCount: Int = 3, seed: UInt64 = 1) {
    var random = SeededRandom(seed: seed)
    rows = Array(repeating: LatencyHistogram(), count: rowCount)
    for index in 0..<count {
      var (own, late) = (LatencyHistogram(), LatencyHistogram())
      var ownRows = Array(repeating: LatencyHistogram(), count: rowCount)
      for sample in 0..<samples {
        let latency = Nanoseconds(UInt64.random(in: 100_000...50_000_000, using: &random))
        let delay = Nanoseconds(UInt64.random(in: 1...900_000, using: &random))
        own.record(latency)
        all.record(latency)
        late.record(delay)
        lateness.record(delay)
        ownRows[sample % rowCount].record(latency)
        rows[sample % rowCount].record(latency)
      }
      documents.append(Self.document(index, of: count, own, late, ownRows))
    }
  }

  private static func document(
    _ index: Int, of count: Int, _ own: LatencyHistogram, _ late: LatencyHistogram, _ rows: [LatencyHistogram]
  ) -> ResultDocument {
    var document = SampleDocuments.typical
    document.tool = ConcurrentBenchmark.description
    document.startedAt = "2026-12-01T12:00:01.00\(index % 10)Z"
    document.durationSeconds = Double(rows.count)
    document.verdict = .fail
    document.parameters = [
      "rate": "1000/s", "maxInFlight": 100, "seed": 42, "timeline": "1s", "timeout": "30s", "count": nil,
      "duration": "3s",
    ]
    document.environment.hostname = "host-\(index)"
    document.metrics = [:]
    document.metrics["all"] = MetricDocument(own)
    document.counters = [
      "iterations": own.totalCount, "errors": 0, "dropped": 0, "censored": 0, "duplicate_assignments": 0, "warm": 7,
    ]
    document.errors = []
    document.findings = nil
    document.notes = ["a note of shard \(index)"]
    document.generator = .init(
      cpuUtilisation: 0.5, scheduleLatenessP99Ms: 0.9, backlogMax: 3, saturated: false, saturatedReason: nil)
    document.thresholds = [
      // Judged by the union alone, whatever a shard says.
      .init(expression: "all.p99 < 1h", observed: 3_700_000, pass: false),
      .init(expression: "warm.rate < 50%", observed: 90, pass: false),
    ]
    document.timeline = ResultTimeline(
      rows.enumerated().map { number, histogram in
        .interval(
          start: .seconds(number), length: .seconds(1), iterations: histogram.totalCount, errors: 1, dropped: 2,
          metric: "all", latencies: LatencySummary(histogram),
          histogram: HistogramV2Codec.encodeCompressedBase64(histogram))
      })
    document.shard = .init(
      index: index, of: count, startAt: startAt, measuredFrom: 0.5, lastAnswerAt: 3.6 + Double(index) / 1000,
      firstStartLatenessMs: 0.25 * Double(index),
      clock: .init(source: .folder, offsetMs: 0.25 * Double(index), errorMs: 0.01), lateness: late)
    return document
  }

  func merged(allowsMissing: Bool = false) throws(ResultMergeError) -> ResultDocument {
    var merge = ShardMerge(allowsMissing: allowsMissing)
    for document in documents { merge.add(document, "run/\(document.shard?.index ?? -1).json") }
    return try merge.document()
  }

  /// What is said against merging them.
  func refusal(allowsMissing: Bool = false) -> String {
    do throws(ResultMergeError) {
      _ = try merged(allowsMissing: allowsMissing)
      return ""
    } catch {
      return error.sentences.joined(separator: "\n")
    }
  }
}

@Suite struct ShardMergeTests {
  @Test(arguments: [1, 2, 7]) func `the merged histograms are those of all samples together, bit for bit`(
    _ count: Int
  ) throws {
    let shards = MadeShards(count)
    let merged = try shards.merged()
    #expect(merged.metrics["all"]?.histogram.data == HistogramV2Codec.encodeCompressedBase64(shards.all))
    #expect(merged.metrics["all"] == MetricDocument(shards.all))
    #expect(merged.counters["iterations"] == UInt64(200 * count))
    let lateness = try #require(LatencySummary(shards.lateness))
    #expect(merged.generator.scheduleLatenessP99Ms == Nanoseconds(lateness.p99.value).milliseconds)
    #expect(merged.generator.cpuUtilisation == 0.5 * Double(count))
    #expect(merged.fleet?.shards.map(\.hostname) == (0..<count).map { "host-\($0)" })
  }

  @Test func `time lines are aligned on the begin and added interval by interval`() throws {
    var shards = MadeShards(4)
    // One shard's clock cut later, and one measured part began a little later.
    shards.documents[1].shard?.measuredFrom = 0.503
    let rows = try #require(try shards.merged().timeline?.rows)
    #expect(rows.count == 3)
    for (row, whole) in zip(rows, shards.rows) {
      #expect(row.histogram == HistogramV2Codec.encodeCompressedBase64(whole))
      #expect(row.iterations == whole.totalCount && row.errors == 4)
      #expect(row.number(.dropped) == 8)
    }
  }

  @Test func `a shard whose rows were merged in pairs makes the rows of all as wide`() throws {
    var shards = MadeShards(2, rows: 4)
    let rows = try #require(shards.documents[1].timeline?.rows)
    let pairs = try stride(from: 0, to: 4, by: 2).map { place -> ResultTimeline.Row in
      var sum = try HistogramV2Codec.decode(base64: #require(rows[place].histogram))
      try sum.merge(try HistogramV2Codec.decode(base64: #require(rows[place + 1].histogram)))
      return .interval(
        start: .seconds(place), length: .seconds(2), iterations: sum.totalCount, errors: 2, dropped: 4, metric: "all",
        latencies: LatencySummary(sum), histogram: HistogramV2Codec.encodeCompressedBase64(sum))
    }
    shards.documents[1].timeline = ResultTimeline(pairs)
    let merged = try #require(try shards.merged().timeline?.rows)
    #expect(merged.map(\.t) == [0, 2] && merged.map(\.seconds) == [2, 2])
    #expect(merged.reduce(0) { $0 + ($1.iterations ?? 0) } == 400)
  }

  @Test func `the length is the span from the begin to the last answer, and rates are those of the whole`() throws {
    let merged = try MadeShards(4).merged()
    #expect(abs(merged.durationSeconds - 3.103) < 1e-9)
    #expect(merged.fleet?.startsSeconds == 3)
    #expect(merged.startedAt == MadeShards.startAt && merged.shard == nil)
    let line = try #require(Throughput(document: merged).line)
    #expect(line.contains("266.7/s due, 257.8/s finished"), "\(line)")
  }

  @Test func `thresholds are judged on the union alone`() throws {
    let merged = try MadeShards(3).merged()
    #expect(merged.thresholds.map(\.pass) == [true, true])
    #expect(merged.verdict == .pass)
    #expect(merged.thresholds[1].observed == 7 * 3 * 100 / 600.0)
  }

  @Test func `one saturated shard makes the whole saturated, and is named`() throws {
    var shards = MadeShards(3)
    shards.documents[1].generator.saturated = true
    shards.documents[1].generator.saturatedReason = "starts were late"
    let merged = try shards.merged()
    #expect(merged.generator.saturatedReason == "1 of 3 shards, shard 1 because: starts were late")
    #expect(merged.verdict == .fail)
  }

  @Test func `missing, doubled and failed shards are refused by name, and so are two seeds, versions and begins`() {
    func refusal(_ change: (inout MadeShards) -> Void) -> String {
      var shards = MadeShards(4)
      change(&shards)
      return shards.refusal()
    }
    #expect(refusal { $0.documents.remove(at: 2) }.hasPrefix("shard 2 of 4 is missing"))
    #expect(refusal { $0.documents.append($0.documents[1]) }.contains("shard 1 ('run/1.json') is there twice"))
    #expect(refusal { $0.documents[3].verdict = .error }.hasPrefix("shard 3 ('run/3.json') measured nothing"))
    #expect(refusal { $0.documents[1].parameters["seed"] = 43 }.contains("shard 1 ('run/1.json') has the seed 43"))
    #expect(refusal { $0.documents[1].version = "0.3.0" }.contains("has the version 0.3.0"))
    let otherBegin = refusal { $0.documents[1].shard?.startAt = "2026-12-01T12:00:11.000Z" }
    #expect(otherBegin.contains("has the begin"))
    let otherWhole = refusal { $0.documents[2].shard?.of = 5 }
    #expect(otherWhole.contains("has a whole of 5 shards"))
    #expect(refusal { $0.documents[2].parameters["rate"] = "2/s" }.contains("has another load: rate is 2/s"))
    #expect(refusal { $0.documents[2].tool = AllocationBenchmark.description }.contains("is of bench-allocation"))
    #expect(refusal { $0.documents[2].shard = nil }.contains("is no result of a shard"))
    #expect(refusal { _ in } == "")
  }

  @Test func `with missing shards allowed the result is partial and no rate is judged`() throws {
    var shards = MadeShards(4)
    shards.documents[0].verdict = .error
    shards.documents.remove(at: 2)
    let merged = try shards.merged(allowsMissing: true)
    #expect(merged.fleet?.missing == [0, 2] && merged.fleet?.isPartial == true)
    #expect(merged.counters["iterations"] == 400)
    #expect(merged.notes.contains { $0.hasPrefix("partial: of 4 shards 2 are missing or have failed (0, 2)") })
    let rate = try #require(merged.thresholds.last)
    #expect(rate.skipped == true && rate.observed == nil)
    #expect(Throughput(document: merged).line == "partial: 400 starts due in some of the shards")
    // Shown again from its file, nothing contradicts.
    #expect(try RecomputedFigures(merged).contradictions == [])
    #expect(shards.refusal(allowsMissing: false).contains("shard 2 of 4 is missing"))
    shards.documents = []
    #expect(shards.refusal(allowsMissing: true) == "--merge-shards needs the results of all shards")
  }

  @Test(arguments: [(1.0, false, false), (80, true, false), (1500, false, true)])
  func `a spread of first starts beyond 50 ms is a note, beyond a second a failed run`(
    _ late: Double, _ isNoted: Bool, _ hasFailed: Bool
  ) throws {
    var shards = MadeShards(3)
    // By their clocks' offsets the three begin at once: each is as late as its clock is ahead.
    #expect(try shards.merged().fleet?.startSpreadMs == 0)
    shards.documents[2].shard?.firstStartLatenessMs = 0.5 + late
    let merged = try shards.merged()
    #expect(merged.fleet?.startSpreadMs == late)
    #expect(merged.notes.contains { $0.contains("ms apart: percentiles") } == isNoted)
    #expect(merged.verdict == (hasFailed ? .fail : .pass))
    #expect((merged.fleet?.failure != nil) == hasFailed)
    #expect(try RecomputedFigures(merged).contradictions == [])
  }

  @Test func `an interrupted shard makes the whole interrupted`() throws {
    var shards = MadeShards(3)
    shards.documents[1].verdict = .interrupted
    #expect(try shards.merged().verdict == .interrupted)
  }

  @Test func `a hundred shards are one result of all their samples`() throws {
    let shards = MadeShards(100, samples: 50, rows: 5)
    let merged = try shards.merged()
    #expect(merged.metrics["all"]?.count == 5000)
    #expect(merged.timeline?.rows.reduce(0) { $0 + ($1.count ?? 0) } == 5000)
    #expect(merged.fleet?.shards.count == 100)
    let html = ResultHTML(merged).source
    #expect(html.contains("host-99") && html.contains("clock offset"))
  }

  @Test func `a merge of runs refuses a shard, and names what merges it`() {
    let shards = MadeShards(2)
    let stored = shards.documents.enumerated().map { number, document in
      try? StoredResult(document, file: ResultFile(path: "\(number).json", unwritten: number))
    }.compactMap(\.self)
    #expect(MergeCheck(stored).problems.contains { $0.contains("is shard 1 of 2") && $0.contains("--merge-shards") })
  }

  @Test func `a shard's document is read back as it was written`() throws {
    let document = MadeShards(2).documents[1]
    let text = try ResultCoding.encode(document)
    let read = try ResultReader.suite.decode(Array(text.utf8), "x.json", withTimeline: true)
    #expect(read.shard == document.shard)
    let merged = try MadeShards(2).merged()
    #expect(
      try ResultReader.suite.decode(Array(ResultCoding.encode(merged).utf8), "x", withTimeline: true).fleet
        == merged.fleet)
    var wrong = document
    wrong.shard?.index = 2
    #expect(ResultRules.violation(in: wrong) == "shard is none of those that it names")
  }
}
