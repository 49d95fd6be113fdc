import Foundation
import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

/// What a file must be so that it is shown, and what is made of one that was edited.
@Suite struct StoredResultTests {
  private let scratch: ScratchDirectory
  private let sound = StoredSamples.run((1...40).map { $0 * 1_000_000 })

  init() throws { scratch = try ScratchDirectory() }

  private func refusal(_ text: String) throws -> String {
    let path = try scratch.write("run.json", text)
    do throws(ResultReadError) {
      _ = try ResultReader.suite.read(path)
      return "it was read"
    } catch {
      #expect(error.description.hasPrefix("'\(path)' "), "the file is named: \(error)")
      return String(error.description.dropFirst(path.count + 3))
    }
  }

  @Test func aSoundDocumentIsReadAsItWasWritten() throws {
    for document in [sound, StoredSamples.run([]), StoredSamples.run([47_900_000], errors: 3)] {
      let read = try StoredSamples.stored(document, "210000Z-bench-allocation.json", in: scratch)
      #expect(read.contradictions == [])
      #expect(read.document == document)
      #expect(read.stem == "210000Z-bench-allocation")
    }
  }

  @Test(
    arguments: [
      ("", "is no JSON: it may be cut off"), ("{", "is no JSON: it may be cut off"),
      ("[]", "is no result: it is no JSON object"), ("42", "is no result: it is no JSON object"),
      ("null", "is no result: it is no JSON object"),
      ("{}", "is no result: it names no schema"), (#"{"schema": 1}"#, "is no result: schema is of the wrong kind"),
      (#"{"schema": "infrabench.summary/1"}"#, "is a summary of several tools: name the results that it was made of"),
      (#"{"schema": "infrabench.comparison/1"}"#, "is a comparison, not the result of a run"),
      (#"{"schema": "something/1"}"#, "is no result: its schema is 'something/1'"),
      (#"{"schema": "infrabench.result/x"}"#, "is no result: its schema is 'infrabench.result/x'"),
      (#"{"schema": "infrabench.result/0"}"#, "is no result: its schema is 'infrabench.result/0'"),
      (
        #"{"schema": "infrabench.result/2"}"#,
        "is of the newer schema 'infrabench.result/2': show it with the suite that wrote it, or a later one"
      ),
    ])
  func whatIsNoResultIsNamedForWhatItIs(text: String, reason: String) throws {
    #expect(try refusal(text) == reason)
  }

  @Test func aDocumentThatIsCutOffAnywhereIsRefused() throws {
    let text = try ResultCoding.encode(sound)
    for length in stride(from: 1, to: text.utf8.count - 2, by: 211) {
      #expect(try refusal(String(decoding: text.utf8.prefix(length), as: UTF8.self)) == "is no JSON: it may be cut off")
    }
  }

  @Test func whatCannotBeReadSaysWhy() throws {
    func reason(_ path: String) -> String {
      do throws(ResultReadError) { return try ResultReader.suite.read(path).stem } catch { return error.description }
    }
    #expect(reason("/nonexistent/x.json") == "'/nonexistent/x.json' can't be read: No such file or directory")
    #expect(reason(scratch.path).contains("is a folder"))
    #expect(reason("") == "'' can't be read: No such file or directory")
    #expect(try refusal("\u{0}") == "is no JSON: it may be cut off")
    try Data([0xff, 0xfe]).write(to: URL(filePath: scratch.path + "/bytes.json"))
    #expect(reason(scratch.path + "/bytes.json").hasSuffix("is no text in UTF-8"))
  }

  /// The document with one field of its JSON changed; nil leaves it out.
  private func edited(_ field: String, _ value: JSONValue?) throws -> String {
    var object = try JSONDecoder().decode([String: JSONValue].self, from: Data(ResultCoding.encode(sound).utf8))
    object[field] = value
    return try ResultCoding.encode(object)
  }

  @Test(
    arguments: [
      ("tool", "bench-x\n<b>"), ("tool", "x"), ("tool", ""), ("version", "1"), ("version", "1.0.0 <b>"),
      ("build", "other"), ("startedAt", "yesterday"), ("startedAt", "2026-11-20T21:00:00.123+01:00"),
      ("startedAt", "2026-02-30T21:00:00.123Z"),
      ("durationSeconds", -1), ("durationSeconds", 1e300), ("durationSeconds", "1"), ("verdict", "maybe"),
      ("metrics", 1), ("metrics", .object(["<b>": 1])), ("counters", .object(["errors": .double(0.5)])),
      ("counters", .object(["a b": 1])),
      ("target", .object(["kind": "\u{1b}[31m", "gatewayUrl": .null, "ecsEndpointUrl": .null])), ("notes", .null),
    ] as [(String, JSONValue)])
  func aFieldThatBreaksTheSchemaIsRefused(field: String, value: JSONValue) throws {
    let reason = try refusal(try edited(field, value))
    #expect(reason.hasPrefix("is no result: "), "\(reason)")
    #expect(reason.contains(field.prefix(4)) || reason.hasSuffix("a number in it is out of its range"), "\(reason)")
  }

  private static let whole = "which no result can have: whole numbers end at 9223372036854775807"
  private static let deep = String(repeating: "[", count: 600) + String(repeating: "]", count: 600)

  /// Values as JSON of fields, and why a document with them is refused: of some of them the decoder says no more than that the
  /// text is no JSON.
  static let beyondADecoder: [(field: String, text: String, reason: String)] = [
    ("counters", #"{"errors": 99999999999999999999999}"#, "counters.errors is 99999999999999999999999, \(whole)"),
    ("counters", #"{"errors": -99999999999999999999999}"#, "counters.errors is -99999999999999999999999, \(whole)"),
    ("durationSeconds", "1e999", "durationSeconds is 1e999, which no result can have: numbers end at 1.8e308"),
    (
      "parameters", #"{"a": [1, {"b": -1e999}]}"#,
      "parameters.a.1.b is -1e999, which no result can have: numbers end at 1.8e308"
    ),
    ("counters", #"{"errors": 0.5}"#, "a number in it is out of its range"),
    ("findings", #"{"a": \#(deep), "b": "]]}"}"#, "it is nested deeper than 512 levels, as no result is"),
    ("errors", "[{}]", "errors.0.kind is missing"),
  ]

  /// A document with the JSON of one field replaced by other text.
  static func edited(_ document: String, _ field: String, raw text: String) throws -> String {
    var object = try JSONDecoder().decode([String: JSONValue].self, from: Data(document.utf8))
    object[field] = "PLACE"
    return try ResultCoding.encode(object).replacing("\"PLACE\"", with: text)
  }

  @Test(arguments: beyondADecoder)
  func whatIsBeyondADecoderIsNamedForWhatItIs(field: String, text: String, reason: String) throws {
    let found = try refusal(try Self.edited(ResultCoding.encode(sound), field, raw: text))
    #expect(["is no result: \(reason)", "is no whole result: \(reason)"].contains(found), "\(found)")
  }

  @Test func bracketsInATextAreNoDepth() throws {
    let text = try Self.edited(ResultCoding.encode(sound), "label", raw: "\"\\\"\(Self.deep)\"")
    let path = try scratch.write("run.json", text)
    #expect(try ResultReader.suite.read(path).document.label == "\"\(Self.deep)")
  }

  @Test func moreThanAnyRunHasIsRefused() throws {
    var document = sound
    document.timeline = ResultTimeline(Array(repeating: ["t": 0], count: ResultRules.mostTimelineRows))
    #expect(ResultRules.violation(in: document) == nil)
    document.timeline?.rows.append(["t": 0])
    #expect(
      try refusal(try ResultCoding.encode(document))
        == "is no result: timeline has 100001 entries, and no run has more than 100000")
    document = sound
    document.thresholds = Array(repeating: document.thresholds[0], count: ResultRules.mostThresholds + 1)
    #expect(ResultRules.violation(in: document)?.hasPrefix("thresholds has 10001 entries") == true)
    document = sound
    for number in 0...ResultRules.mostNames { document.counters["c\(number)"] = 0 }
    #expect(ResultRules.violation(in: document)?.hasPrefix("counters has ") == true)
    document = sound
    for number in 0..<ResultRules.mostNames { document.metrics["m\(number)"] = document.metrics["allocation"] }
    #expect(ResultRules.violation(in: document)?.hasPrefix("metrics has 1001 entries") == true)
  }

  @Test(arguments: ["tool", "metrics", "counters", "generator", "environment", "notes", "startedAt", "label"])
  func aFieldThatIsMissingIsNamed(_ field: String) throws {
    #expect(try refusal(try edited(field, nil)) == "is no whole result: \(field) is missing")
  }

  @Test(arguments: ["", "HISTFAAA", "AAAA", "x", String(repeating: "A", count: 100_000)])
  func aHistogramThatIsNoneIsRefused(_ data: String) throws {
    var document = sound
    document.metrics["allocation"]?.histogram.data = data
    let reason = try refusal(try ResultCoding.encode(document))
    #expect(reason.hasPrefix("is no whole result: metrics.allocation.histogram: "), "\(reason)")
    var interval = sound
    interval.timeline = [["t": 0, "histogram": .string(data)]]
    #expect(try refusal(try ResultCoding.encode(interval)).hasPrefix("is no whole result: timeline.0.histogram: "))
  }

  @Test func figuresThatAreNotThoseOfTheHistogramAreReplacedAndNamed() throws {
    var document = sound
    document.metrics["allocation"]?.p99 = 12.5
    document.metrics["allocation"]?.count = 4000
    document.metrics["allocation"]?.fewSamples = []
    document.metrics["allocation"]?.restOnMaximum = []
    let read = try StoredSamples.stored(document, in: scratch)
    let mean = try #require(sound.metrics["allocation"]?.p99)
    #expect(
      read.contradictions
        == [
          "allocation.count: the document says 4000, its histogram says 40",
          "allocation.p99: the document says 12.5 ms, its histogram says \(mean) ms",
          "allocation, percentiles with few samples: the document says none, its histogram says p90 p95 p99 p999",
          "allocation, percentiles that are the maximum: the document says none, its histogram says p99 p999",
          "threshold 'allocation.p99 < 200ms': the document says 40.0ms, pass, its figures say 40.0ms, pass",
        ].dropLast())
    #expect(read.document.metrics == sound.metrics)
    #expect(read.document.notes == read.contradictions)
    // In every rendering.
    let rendering = ResultRendering(read.document)
    for text in [rendering.text(usesColor: false), rendering.markdown] {
      #expect(text.contains("allocation.p99: the document says 12.5 ms, its histogram says"))
    }
  }

  @Test func aVerdictThatWasTurnedIsTurnedBack() throws {
    var document = StoredSamples.run([300_000_000], errors: 1)
    #expect(document.verdict == .fail)
    document.verdict = .pass
    for index in document.thresholds.indices {
      document.thresholds[index].pass = true
      if document.thresholds[index].observed != nil { document.thresholds[index].observed = 1 }
    }
    let read = try StoredSamples.stored(document, in: scratch)
    #expect(read.document.verdict == .fail)
    #expect(read.document.thresholds.filter { !$0.pass }.count == 3)
    #expect(
      read.contradictions.contains(
        "threshold 'errors == 0': the document says 1, pass, its figures say 1, fail"), "\(read.contradictions)")
    #expect(read.contradictions.last == "verdict: the document says pass, its figures say fail")
  }

  /// As 0.1.0 wrote it: failures said nothing of a maximum and of a mean.
  @Test func maximaAndMeansAreJudgedByTheFailuresThatTheCountersTell() throws {
    var document = StoredSamples.run(Array(repeating: 2_000_000, count: 90), errors: 10, thresholds: [])
    document.version = "0.1.0"
    document.parameters["timeout"] = "50ms"
    document.metrics["allocation"]?.unreliable = ["p95", "p99", "p999"]
    document.metrics["allocation"]?.failures = nil
    document.thresholds = ["allocation.max < 60ms", "allocation.mean < 5ms", "allocation.mean < 7ms"].map {
      .init(expression: $0, observed: $0.contains("max") ? document.metrics["allocation"]?.max : 2, pass: true)
    }
    document.thresholds[1].observed = document.metrics["allocation"]?.mean
    document.thresholds[2].observed = document.metrics["allocation"]?.mean
    document.verdict = .pass
    let read = try StoredSamples.stored(document, in: scratch)
    #expect(read.document.metrics["allocation"]?.unreliable == ["p95", "p99", "p999", "max"])
    #expect(read.document.metrics["allocation"]?.failures == 10)
    #expect(read.document.thresholds.map(\.pass) == [false, false, true] && read.document.verdict == .fail)
    #expect(
      read.contradictions.first
        == "threshold 'allocation.max < 60ms': the document says 2.00ms, pass, its figures say 2.00ms, fail (10 failed or were "
        + "not finished, and may have been the slowest: failing fast is not being fast)")
    // What is read once is read again without a word.
    let again = try StoredSamples.stored(read.document, "again.json", in: scratch)
    #expect(again.contradictions == [])
  }

  /// Whatever is in the document that only its run could know is left as it is.
  @Test func whatAHistogramDoesNotTellIsTheDocuments() throws {
    var document = sound
    document.metrics["allocation"]?.unreliable = ["p50", "p999"]
    document.metrics["allocation"]?.resolution = 500
    document.metrics["allocation"]?.clamped = 2
    document.thresholds = [
      .init(expression: "confirmation.p99 < 1s", observed: nil, pass: false, reason: "it never came"),
      .init(expression: "added_later.p99 < 1s", observed: 5, pass: true),
    ]
    document.verdict = .fail
    let read = try StoredSamples.stored(document, in: scratch)
    #expect(read.document == document && read.contradictions == [])
  }

  /// A file may write an expression in any way that a user may: what it is about decides the unit.
  @Test(
    arguments: [
      ("errors.rate<=50%", "errors.rate <= 50%", "0.00%"), ("allocation.count>=1", "allocation.count >= 1", "40"),
      ("allocation.p99<1s", "allocation.p99 < 1s", "ms"), ("errors==0", "errors == 0", "0"),
    ])
  func thresholdsWithoutBlanksHaveTheirUnits(_ written: String, _ shown: String, _ observed: String) throws {
    var document = sound
    let parser = ThresholdParser(AllocationBenchmark.description)
    let bounds = FailureTimeouts(document.tool, document.parameters)
    let judged = try parser.parse(written).judge(
      metrics: document.metrics, counters: document.counters, bounds: bounds)
    document.thresholds = [judged]
    document.thresholds[0].expression = written
    document.verdict = document.verdictOfThresholds
    #expect(document.thresholds[0].observedUnit == judged.observedUnit)
    let path = try scratch.write("blanks.json", ResultCoding.encode(document))
    let result = try ResultReader.suite.read(path)
    #expect(result.contradictions == [] && result.document.thresholds.map(\.expression) == [shown])
    #expect(result.document.thresholds[0].observedText.hasSuffix(observed), "\(result.document.thresholds)")
  }

  /// The counters say how much failed: an edited number hides no failure from a mean.
  @Test(arguments: [nil, 0, 1] as [UInt64?]) func editedFailuresHideNone(_ failures: UInt64?) throws {
    var document = sound
    document.counters["errors"] = 4
    document.metrics["allocation"]?.failures = failures
    let path = try scratch.write("failures.json", ResultCoding.encode(document))
    #expect(try ResultReader.suite.read(path).document.metrics["allocation"]?.failures == 4)
  }
}
