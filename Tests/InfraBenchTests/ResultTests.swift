import ArgumentParser
import Foundation
import Latency
import LoadEngine
import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

@Suite struct ResultDocumentTests {
  @Test func aDocumentIsReadBackAsItWasWritten() throws {
    for document in [SampleDocuments.typical, SampleDocuments.hostile] {
      let json = try ResultCoding.encode(document)
      #expect(try ResultCoding.decode(json, tools: .suite) == document)
      #expect(try ResultCoding.encode(document) == json)
      #expect(json.hasSuffix("}\n"))
    }
  }

  @Test func whatIsNotKnownIsWrittenAsNull() throws {
    let json = try ResultCoding.encode(SampleDocuments.typical)
    for key in ["label", "ecsEndpointUrl", "gitCommit", "saturatedReason"] {
      #expect(json.contains("\"\(key)\" : null"))
    }
    #expect(throws: (any Error).self) {
      try ResultCoding.decode(json.replacing("\"label\" : null,", with: ""), tools: .suite)
    }
  }

  @Test func unknownFieldsAreIgnored() throws {
    let json = try ResultCoding.encode(SampleDocuments.typical)
    let newer = json.replacing("\"label\" : null", with: "\"label\" : null, \"addedLater\" : {\"x\" : [1]}")
    #expect(try ResultCoding.decode(newer, tools: .suite) == SampleDocuments.typical)
  }

  @Test(
    arguments: [
      .null, .bool(true), .int(0), .int(.max), .int(.min), .double(1.5), .double(1e300), .string(""), .string("1"),
      .string("\u{0}\"\\\u{2028}"), .array([]), .array([.int(1), .array([.null]), .bool(false)]),
      .object(["a": .object(["b": .double(0.1)]), "": .null]),
    ] as [JSONValue])
  func anyJSONValueIsReadBack(_ value: JSONValue) throws {
    let data = Data(try ResultCoding.encode(value).utf8)
    #expect(try JSONDecoder().decode(JSONValue.self, from: data) == value)
  }

  @Test(.enabled(if: DocumentSchema.isAvailable, "needs Python's jsonschema; INFRABENCH_PYTHON names an interpreter"))
  func documentsMatchTheSchema() async throws {
    let scratch = try ScratchDirectory()
    var files: [String] = []
    for (index, document) in [SampleDocuments.typical, SampleDocuments.hostile].enumerated() {
      var document = document
      // The schema's own rule: no blanks are in a URL.
      document.target.gatewayUrl = "http://127.0.0.1:5174"
      if index == 0 { document.timeline = SampleDocuments.loadTimeline }
      files.append(try scratch.write("\(index).json", ResultCoding.encode(document)))
    }
    #expect(try await DocumentSchema.faults(inFilesAt: files) == [])
  }

  @Test(.enabled(if: DocumentSchema.isAvailable, "needs Python's jsonschema; INFRABENCH_PYTHON names an interpreter"))
  func theSchemaFindsFaults() async throws {
    var document = SampleDocuments.typical
    document.timeline = SampleDocuments.loadTimeline
    let json = try ResultCoding.encode(document)
    for (old, new) in [
      ("infrabench.result/1", "infrabench.result/2"), ("\"label\" : null,", ""), ("\"pass\" : true", "\"pass\" : 1"),
      ("\"verdict\" : \"fail\"", "\"verdict\" : \"good\""), ("21:00:00.123Z", "21:00:00Z"),
      ("\"p99\" : ", "\"p98\" : "),
      ("\"iterations\" : 12", "\"iterations\" : -1"), ("http://127", "http://user:pw@127"),
      ("\"dropped\" : 2", "\"lost\" : 2"), ("\"p90\" : 2,", ""), ("\"seconds\" : 0.5", "\"seconds\" : -0.5"),
    ] { #expect(try await !DocumentSchema.faults(in: json.replacing(old, with: new)).isEmpty, "\(new)") }
  }
}

@Suite struct ResultAssemblyTests {
  private func document(
    _ fill: (inout Recording) -> Void, thresholds: [String] = [], interrupted: Bool = false, busiest: Double = 0,
    worthless: String? = nil, options: [String] = []
  ) throws -> ResultDocument {
    let catalogue = AllocationBenchmark.catalogue
    var recording = Recording(catalogue)
    fill(&recording)
    var reader = OptionReader(environment: [:])
    let benchmark = AllocationBenchmark(
      target: reader.target(try TargetOptions.parse([])),
      load: reader.load(try LoadOptions.parse([]), try ArrivalOptions.parse([]), defaultCount: 10),
      waitFor: .assigned, holds: false)
    let parser = ThresholdParser(AllocationBenchmark.description)
    var measurement = Measurement(
      recording: recording, generator: GeneratorReport(cpuUtilisation: 0, latenessP99: nil, busiestSecond: busiest),
      target: .init(kind: "embedded", gatewayUrl: "http://127.0.0.1:1", ecsEndpointUrl: nil), startedAt: Date(),
      duration: .milliseconds(1500))
    measurement.worthless = worthless
    return ResultAssembly(
      measurement: measurement,
      thresholds: try thresholds.map { try parser.parse($0) }
        + AllocationBenchmark.description.defaultThresholds.map { try parser.parse($0, isDefault: true) },
      output: reader.output(try OutputOptions.parse(options)), environment: [:], isInterrupted: interrupted, notes: []
    ).document(of: benchmark)
  }

  private static let allocation = AllocationBenchmark.catalogue.metric("allocation")
  private static let connect = AllocationBenchmark.catalogue.metric("connect")

  @Test func theVerdictFollowsFromWhatWasMeasured() throws {
    let fast: (inout Recording) -> Void = { $0.sample(Self.allocation, 1_000_000) }
    #expect(try document(fast).verdict == .pass)
    #expect(try document(fast, thresholds: ["allocation.p99 < 1us"]).verdict == .fail)
    #expect(try document(fast, thresholds: ["confirmation.p99 < 1h"]).verdict == .fail)
    #expect(try document(fast, busiest: 1).verdict == .fail)
    #expect(try document(fast, interrupted: true).verdict == .interrupted)
    #expect(try document { $0.sample(Self.allocation, 1_000_000_000) }.verdict == .fail)
    #expect(try document({ _ in }).verdict == .error)
  }

  @Test func whoAllowsSaturationGetsTheOtherVerdictAndSeesBoth() throws {
    let allowed = ["--allow-saturated"]
    let fast: (inout Recording) -> Void = { $0.sample(Self.allocation, 1_000_000) }
    let document = try document(fast, busiest: 1, options: allowed)
    #expect(document.verdict == .pass && document.generator.saturated)
    #expect(document.notes == ["the verdict leaves the saturation of the generator out: --allow-saturated"])
    #expect(MarkdownReport(document).text.contains("# bench-allocation: pass\n\n> **Saturated**: "))
    #expect(TextReport(document).text.hasPrefix("SATURATED: "))
    #expect(try self.document(fast, options: allowed).notes == [])
    #expect(try self.document(fast, thresholds: ["errors > 0"], busiest: 1, options: allowed).verdict == .fail)
    #expect(try self.document({ _ in }, busiest: 1, options: allowed).verdict == .error)
    #expect(try self.document(fast, interrupted: true, busiest: 1, options: allowed).verdict == .interrupted)
  }

  @Test func whatABenchmarkCallsWorthlessIsAnErrorWhateverItsSamples() throws {
    let fast: (inout Recording) -> Void = { $0.sample(Self.allocation, 1_000_000) }
    #expect(try document(fast, busiest: 1, worthless: "no task was listed").verdict == .error)
    #expect(try document(fast, interrupted: true, worthless: "none").verdict == .interrupted)
  }

  /// All iterations missed: the time of connecting is no sample of what the tool measures.
  @Test func aRunWithSamplesOfConnectingAloneIsWorthless() throws {
    let document = try document { recording in
      recording.sample(Self.connect, 1_000_000)
      recording.count(AllocationBenchmark.catalogue.counter("misses"), by: 10)
    }
    #expect(document.verdict == .error)
  }

  @Test func countersAreAllThereAndTimeoutsAreErrorsToo() throws {
    let document = try document { recording in
      recording.sample(Self.allocation, 1_000_000)
      for kind in ["timeout", "connect_timeout", "http_503"] { recording.fail(kind, "example") }
    }
    #expect(
      Set(document.counters.keys)
        == Set(ToolDescription.countersOfAll.map(\.name) + AllocationBenchmark.catalogue.counters))
    #expect(document.counters["errors"] == 3 && document.counters["timeouts"] == 2)
    #expect(document.errors.map(\.kind) == ["timeout", "connect_timeout", "http_503"])
    #expect(document.durationSeconds == 1.5)
  }

  @Test(.enabled(if: DocumentSchema.isAvailable, "needs Python's jsonschema; INFRABENCH_PYTHON names an interpreter"))
  func whatIsAssembledMatchesTheSchema() async throws {
    let document = try document({ $0.sample(Self.allocation, 1_000_000) }, thresholds: ["errors.rate < 1%"])
    #expect(try await DocumentSchema.faults(in: ResultCoding.encode(document)) == [])
  }
}

@Suite struct TimestampTests {
  @Test(
    arguments: [
      (0.0, "1970-01-01", "000000", "1970-01-01T00:00:00.000Z"),
      (1_795_208_400.125, "2026-11-20", "210000", "2026-11-20T21:00:00.125Z"),
      (1_795_208_400.9999, "2026-11-20", "210000", nil),
      (1_709_251_199.5, "2024-02-29", "235959", "2024-02-29T23:59:59.500Z"),
    ] as [(Double, String, String, String?)])
  func instantsAreUTCWithMilliseconds(_ seconds: Double, _ day: String, _ time: String, _ iso8601: String?) throws {
    let stamp = Timestamp(Date(timeIntervalSince1970: seconds))
    if let iso8601 {
      #expect(stamp.iso8601 == iso8601)
      #expect(stamp.day == day && stamp.compactTime == time)
    }
    #expect(stamp.iso8601.utf8.count == 24 && stamp.iso8601.hasSuffix("Z"))
    #expect(stamp.compactTime.utf8.count == 6 && stamp.compactTime.allSatisfy(\.isNumber))
  }
}

@Suite struct ResultWriterTests {
  private static let date = Date(timeIntervalSince1970: 1_795_208_400)

  private func write(_ directory: String, label: String? = nil, _ text: String = "x", only: [String] = ["json", "md"])
    throws -> [String]
  {
    try ResultWriter(directory: directory).write(
      tool: "bench-x", label: label, startedAt: Self.date, contents: only.map { ($0, text) })
  }

  @Test func namesAreTheContractsAndNothingIsOverwritten() throws {
    let scratch = try ScratchDirectory()
    let directory = scratch.path + "/a/results"
    for suffix in ["", "-2", "-3"] {
      let stem = "\(directory)/2026-11-20/210000Z-bench-x\(suffix)"
      #expect(try write(directory, suffix) == ["\(stem).json", "\(stem).md"])
    }
    #expect(try String(contentsOfFile: "\(directory)/2026-11-20/210000Z-bench-x-2.md", encoding: .utf8) == "-2")
    #expect(scratch.files.count == 6)
  }

  @Test func aNameThatIsTakenForOneFormatIsTakenForAll() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("2026-11-20/210000Z-bench-x.md", "somebody's")
    #expect(
      try write(scratch.path).map { $0.split(separator: "/").last } == [
        "210000Z-bench-x-2.json", "210000Z-bench-x-2.md",
      ])
    #expect(scratch.files.count == 3)
  }

  /// Two runs of one second, each with other formats, are not to look like one run.
  @Test func aNameThatIsTakenForAFormatOfAnotherRunIsTaken() throws {
    let scratch = try ScratchDirectory()
    for (format, suffix) in [("json", ""), ("csv", "-2"), ("prom", "-3"), ("md", "-4"), ("json", "-5")] {
      #expect(
        try write(scratch.path, only: [format]) == ["\(scratch.path)/2026-11-20/210000Z-bench-x\(suffix).\(format)"])
    }
  }

  /// The name of the second file is too long for its temporary name: the first must not stay alone.
  @Test func aFileThatCannotBeWrittenTakesTheOthersWithIt() throws {
    let scratch = try ScratchDirectory()
    let long = String(repeating: "x", count: 230)
    #expect(throws: ResultWriteError.self) { try write(scratch.path, only: ["json", long]) }
    #expect(scratch.files == [])
  }

  @Test(arguments: [
    ("nightly-1.2_x", "nightly-1.2_x"), ("../../etc/passwd", "..-..-etc-passwd"),
    ("größe a\\b:c\u{0}\r\n", "gr--e-a-b-c--"),
    ("🙂", "-"), ("..", ".."),
  ])
  func aLabelsOtherCharactersBecomeHyphens(_ label: String, _ part: String) throws {
    let scratch = try ScratchDirectory()
    #expect(try write(scratch.path, label: label, only: ["json"]).count == 1)
    #expect(scratch.files == ["2026-11-20/210000Z-bench-x-\(part).json"])
  }

  @Test func writersAtOneInstantEachGetAllTheirFilesWhole() async throws {
    let scratch = try ScratchDirectory()
    let path = scratch.path
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<24 {
        group.addTask {
          let text = String(repeating: "\(number) ", count: 20_000)
          for file in try ResultWriter(directory: path).write(
            tool: "bench-x", label: nil, startedAt: Self.date, contents: [("json", text), ("md", text)])
          { #expect(try String(contentsOfFile: file, encoding: .utf8) == text) }
        }
      }
      try await group.waitForAll()
    }
    #expect(scratch.files.count == 48)
    #expect(scratch.files.allSatisfy { $0.hasSuffix(".json") || $0.hasSuffix(".md") })
  }

  @Test func whatCannotBeWrittenSaysWhyAndLeavesNothing() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("file", "")
    for directory in ["\(scratch.path)/file", "/proc/none"] {
      #expect(throws: ResultWriteError.self) { try write(directory) }
    }
    #expect(scratch.files == ["file"])
  }

  @Test func aFileIsReplacedWhole() throws {
    let scratch = try ScratchDirectory()
    let file = try scratch.write("summary.json", "old")
    try ResultWriter.replace(file, with: "new")
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "new")
    #expect(throws: ResultWriteError.self) { try ResultWriter.replace("\(scratch.path)/none/x", with: "") }
    #expect(throws: ResultWriteError.self) { try ResultWriter.replace(scratch.path, with: "") }
    #expect(scratch.files == ["summary.json"])
    let beside = try FileManager.default.contentsOfDirectory(
      atPath: (scratch.path as NSString).deletingLastPathComponent)
    #expect(!beside.contains { $0.hasPrefix((scratch.path as NSString).lastPathComponent) && $0.hasSuffix(".tmp") })
  }
}

@Suite struct GitCommitTests {
  private static let commit = "0123456789abcdef0123456789abcdef01234567"

  private func current(_ directory: String, _ environment: [String: String] = [:]) -> String? {
    GitCommit.current(environment: environment, directory: directory)
  }

  @Test func headIsFollowedFromAnyDirectoryBelow() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("repo/.git/HEAD", "ref: refs/heads/main\n")
    try scratch.write("repo/.git/refs/heads/main", Self.commit + "\n")
    try scratch.write("repo/a/b/file", "")
    #expect(current("\(scratch.path)/repo") == Self.commit)
    #expect(current("\(scratch.path)/repo/a/b") == Self.commit)
  }

  @Test func aDetachedHeadAndPackedReferencesAreRead() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("detached/.git/HEAD", Self.commit + "\n")
    #expect(current("\(scratch.path)/detached") == Self.commit)
    try scratch.write("packed/.git/HEAD", "ref: refs/heads/main\n")
    let other = String(repeating: "f", count: 40)
    try scratch.write(
      "packed/.git/packed-refs",
      "# pack-refs with: peeled\n\(other) refs/heads/not/refs/heads/main\n\(Self.commit) refs/heads/main\n^\(other)\n")
    #expect(current("\(scratch.path)/packed") == Self.commit)
  }

  @Test func aWorkTreesReferencesAreInTheCommonDirectory() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("repo/.git/refs/heads/topic", Self.commit + "\n")
    try scratch.write("repo/.git/worktrees/tree/HEAD", "ref: refs/heads/topic\n")
    try scratch.write("repo/.git/worktrees/tree/commondir", "../..\n")
    try scratch.write("tree/.git", "gitdir: \(scratch.path)/repo/.git/worktrees/tree\n")
    try scratch.write("tree/below/file", "")
    #expect(current("\(scratch.path)/tree") == Self.commit)
    #expect(current("\(scratch.path)/tree/below") == Self.commit)
  }

  @Test func aSubmodulesRelativeDirectoryIsFollowed() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("repo/.git/modules/sub/HEAD", Self.commit + "\n")
    try scratch.write("repo/sub/.git", "gitdir: ../.git/modules/sub\n")
    try scratch.write("repo/sub/below/file", "")
    #expect(current("\(scratch.path)/repo/sub") == Self.commit)
    #expect(current("\(scratch.path)/repo/sub/below") == Self.commit)
  }

  @Test func theEnvironmentsCommitComesFirstIfItIsOne() throws {
    let scratch = try ScratchDirectory()
    try scratch.write(".git/HEAD", Self.commit)
    let other = String(repeating: "a", count: 40)
    #expect(current(scratch.path, ["GITHUB_SHA": other]) == other)
    #expect(current(scratch.path, ["CI_COMMIT_SHA": other]) == other)
    for nonsense in ["", "main", "$(id)", String(repeating: "a", count: 39), String(repeating: "ａ", count: 14)] {
      #expect(current(scratch.path, ["GITHUB_SHA": nonsense]) == Self.commit)
    }
  }

  @Test(arguments: ["", "ref: ", "ref: ../../secret", "ref: refs/heads/none", "nonsense", "\u{0}"])
  func aBrokenRepositoryHasNoCommit(_ head: String) throws {
    let scratch = try ScratchDirectory()
    try scratch.write(".git/HEAD", head)
    #expect(current(scratch.path) == nil)
  }
}
