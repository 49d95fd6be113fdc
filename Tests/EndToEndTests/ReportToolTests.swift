import FoundationEssentials
import Latency
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

/// `bench-report` on results that the tools wrote.
@Suite(.timeLimit(.minutes(2))) struct ReportToolTests {
  /// Two runs of one load, and where their documents are.
  private struct Runs {
    let scratch: Scratch
    let documents: [ResultDocument]
    let paths: [String]

    init() async throws {
      scratch = try Scratch()
      for _ in 0..<2 {
        _ = try await Tool(name: "bench-dirinit").run(
          ["--count", "30", "--no-default-thresholds"], environment: ["TMPDIR": scratch.path], in: scratch.path)
      }
      let days = try #require(scratch.names(in: "results"))
      let scratch = scratch
      let files = days.flatMap { day in
        (scratch.names(in: "results/\(day)") ?? []).filter { $0.hasSuffix(".json") }.map {
          scratch("results/\(day)/\($0)")
        }
      }
      // In the order of time: two of one second have names in another.
      let read = try files.map { path in
        let data = FileManager.default.contents(atPath: path) ?? Data()
        return (path: path, document: try ResultCoding.decode(String(decoding: data, as: UTF8.self), tools: .suite))
      }.sorted { $0.document.startedAt < $1.document.startedAt }
      (paths, documents) = (read.map(\.path), read.map(\.document))
      try #require(paths.count == 2)
    }

    func report(_ arguments: [String]) async throws -> Tool.Outcome {
      try await Tool(name: "bench-report").run(arguments, environment: ["NO_COLOR": ""], in: scratch.path)
    }

    func text(_ name: String) -> String {
      String(decoding: FileManager.default.contents(atPath: scratch(name)) ?? Data(), as: UTF8.self)
    }
  }

  @Test func aStoredResultIsShownAsItsToolShowedIt() async throws {
    let runs = try await Runs()
    let shown = try await runs.report([runs.paths[0]])
    #expect(shown.status == .exited(0) && shown.standardError == "", "\(shown.standardError)")
    let report = TextReport(runs.documents[0]).text.split(separator: "\n\n")
    for part in report { #expect(shown.standardOutput.contains(part)) }
    #expect(shown.standardOutput.contains("\ncreate (30), ") || shown.standardOutput.contains(", create (30)"))
    // The last line is that of the tools, which scripts look for.
    #expect(shown.standardOutput.hasSuffix((report.last ?? "") + (report.last?.hasSuffix("\n") == true ? "" : "\n")))
    let both = try await runs.report(runs.paths + ["--print", "md"])
    #expect(both.standardOutput.split(separator: "\n").count { $0 == "# bench-dirinit: pass" } == 2)
    let json = try await runs.report([runs.paths[1], "--print", "json"])
    #expect(try json.document == runs.documents[1])
  }

  @Test func aMergeIsTheUnionAndKeepsToTheSchema() async throws {
    let runs = try await Runs()
    let merged = try await runs.report(["--merge", "--print", "json"] + runs.paths)
    #expect(merged.status == .exited(0), "\(merged.standardError)")
    let document = try merged.document
    for (name, metric) in document.metrics {
      var union = LatencyHistogram()
      for run in runs.documents {
        if let part = run.metrics[name] { try union.merge(HistogramV2Codec.decode(base64: part.histogram.data)) }
      }
      #expect(metric == MetricDocument(union), "\(name)")
    }
    #expect(document.counters["iterations"] == 60 && document.mergedRuns == 2)
    if DocumentSchema.isAvailable { #expect(try await DocumentSchema.faults(in: merged.standardOutput) == []) }
  }

  /// As if the first one had gone on for a minute, beside the second one.
  @Test func runsAtTheSameTimeAreNotMerged() async throws {
    let runs = try await Runs()
    var long = runs.documents[0]
    long.durationSeconds = 60
    let path = runs.scratch.write("long.json", try ResultCoding.encode(long))
    let merged = try await runs.report(["--merge", path, runs.paths[1]])
    #expect(merged.status == .exited(64) && merged.standardOutput == "", "\(merged.standardOutput)")
    #expect(merged.standardError.contains("while the run in '\(path)' went on"), "\(merged.standardError)")
    #expect(merged.standardError.contains("merge runs that followed one another"))
  }

  /// What HdrHistogramJS 3.1.0 makes of 5 ns three times, 200 ns once and 1 ms seven times.
  private static let writtenByJavaScript =
    "HISTFAAAAC94nJNpmSzMwMDAycDAwMjAwMDMAAGMDAzMbgY7FjDA+JxszcxM61cz8gEAbFYFJw=="

  @Test func histogramsOfAnotherLibraryAreShownAndMerged() async throws {
    let runs = try await Runs()
    var histogram = LatencyHistogram()
    for (value, count) in [(5, 3), (200, 1), (1_000_000, 7)] as [(UInt64, UInt64)] {
      histogram.record(value, count: count)
    }
    let paths = try (0..<2).map { number in
      var document = runs.documents[number]
      document.metrics = ["create": try #require(MetricDocument(histogram))]
      document.metrics["create"]?.histogram.data = Self.writtenByJavaScript
      document.thresholds = []
      return runs.scratch.write("foreign-\(number).json", try ResultCoding.encode(document))
    }
    let shown = try await runs.report([paths[0]])
    #expect(shown.status == .exited(0) && shown.standardError == "", "\(shown.standardError)")
    #expect(shown.standardOutput.contains("create     11"), "\(shown.standardOutput)")
    let merged = try await runs.report(["--merge", "--print", "json"] + paths)
    #expect(merged.status == .exited(0), "\(merged.standardError)")
    #expect(try merged.document.metrics["create"]?.count == 22)
  }

  @Test func filesAreNamedAfterTheirSourceAndNothingIsOverwritten() async throws {
    let runs = try await Runs()
    let stem = String((runs.paths[0].split(separator: "/").last ?? "").dropLast(5))
    let arguments = ["--format", "csv,hgrm,hlog", "--metric", "create", "--output-dir", "out", runs.paths[0]]
    for _ in 0..<2 {
      let result = try await runs.report(arguments)
      #expect(result.status == .exited(0) && result.standardOutput == "", "\(result.standardError)")
    }
    let names = ["", "-2"].flatMap { ["\(stem)\($0)-create.hgrm", "\(stem)\($0).csv", "\(stem)\($0).hlog"] }
    #expect(runs.scratch.names(in: "out") == names.sorted())
    #expect(runs.text("out/\(stem).csv") == CSVReport(runs.documents[0]).text)
    #expect(runs.text("out/\(stem)-2.csv") == runs.text("out/\(stem).csv"))
    // Beside the source: its own name is free for what it is not yet, and what is not its own is another run's.
    let folder = runs.paths[0].split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    let beside = try await runs.report(["--format", "csv", "--output-dir", folder, runs.paths[0]])
    #expect(beside.standardError == "wrote \(folder)/\(stem).csv\n")
    let taken = try await runs.report(["--format", "md", "--output-dir", folder, "--quiet", runs.paths[0]])
    #expect(taken.status == .exited(0) && taken.standardError == "")
    let merged = try await runs.report(
      ["--merge", "--format", "json,md", "--output-dir", "merged", "--print", "text"] + runs.paths)
    #expect(runs.scratch.names(in: "merged") == ["\(stem)-merged.json", "\(stem)-merged.md"])
    #expect(merged.standardOutput.contains("note: 2 runs were merged, of "))
  }

  @Test func oneFormatOfOneDocumentGoesToStandardOutput() async throws {
    let runs = try await Runs()
    let metric = try #require(runs.documents[0].metrics["create"])
    let histogram = try HistogramV2Codec.decode(base64: metric.histogram.data)
    let hgrm = try await runs.report(["--format", "hgrm", runs.paths[0]])
    #expect(hgrm.standardOutput == PercentileDistribution.text(of: histogram))
    let log = try await runs.report(["--format", "hlog", "--metric", "create", runs.paths[0]])
    var reader = HistogramLogReader([UInt8](log.standardOutput.utf8))
    let interval = try #require(try reader.next())
    #expect(interval.tag == "create" && interval.histogram == histogram)
    #expect(try reader.next() == nil)
  }

  @Test func whatCannotBeReadIsNamedAndTheRestIsShown() async throws {
    let runs = try await Runs()
    let cut = runs.scratch.write("cut.json", String(runs.text("results").prefix(0)) + "{\"schema\": \"infra")
    let newer = runs.scratch.write("newer.json", "{\"schema\": \"infrabench.result/2\"}")
    let result = try await runs.report(["nowhere.json", cut, newer, runs.paths[0], "results"])
    #expect(result.status == .exited(1))
    for name in [
      "'nowhere.json' can't be read", "cut.json' is no JSON", "newer.json' is of the newer schema",
      "'results' is a folder",
    ] {
      #expect(result.standardError.contains(name), "\(result.standardError)")
    }
    #expect(result.standardOutput.contains("verdict: "))
    let merge = try await runs.report(["--merge", "nowhere.json"] + runs.paths)
    #expect(merge.status == .exited(1) && merge.standardOutput == "")
  }

  @Test func anEditedDocumentIsShownByItsHistogram() async throws {
    let runs = try await Runs()
    var document = runs.documents[0]
    document.metrics["create"]?.p50 = 0.001
    let path = runs.scratch.write("edited.json", try ResultCoding.encode(document))
    let result = try await runs.report([path])
    let note =
      "create.p50: the document says 0.001 ms, its histogram says \(runs.documents[0].metrics["create"]?.p50 ?? 0) ms"
    #expect(result.status == .exited(0))
    #expect(result.standardError == "note: '\(path)': \(note)\n")
    #expect(result.standardOutput.contains("note: \(note)\n"))
  }

  @Test func wrongUsageIsSaidAllAtOnceAndNothingIsWritten() async throws {
    let runs = try await Runs()
    let several = try await runs.report(
      ["--merge", "--format", "md,xml,csv", "--metric", "create", "--print", "yaml", runs.paths[0]])
    #expect(several.status == .exited(64) && several.standardOutput == "")
    for text in [
      "--merge: name at least two", "--format: 'xml' is unknown", "--format: standard output takes one format",
      "--metric: only", "--print: 'yaml' is unknown", "--print: --format is what goes",
    ] { #expect(several.standardError.contains("error: \(text)"), "\(several.standardError)") }

    for arguments in [
      [], ["--no-such-option"], ["--output-dir", "out", runs.paths[0]],
      ["--format", "csv", "--output-dir", "/dev/null/x", runs.paths[0]], ["--format", "", runs.paths[0]],
      ["--format", "csv"] + runs.paths, ["--format", "hgrm", "--metric", "create", "--metric", "read", runs.paths[0]],
      ["--format", "hlog", "--metric", "nothing", runs.paths[0]], ["--merge", runs.paths[0], runs.paths[0]],
    ] {
      let result = try await runs.report(arguments)
      #expect(result.status == .exited(64), "\(arguments): \(result.standardError)")
      #expect(result.standardOutput == "" && result.standardError.contains("rror: "))
    }
    #expect(runs.scratch.names(in: "out") == nil)
  }

  @Test func everyToolWritesJUnit() async throws {
    let result = try await BenchRun.run(
      "bench-dirinit", ["--count", "3", "--format", "json,junit", "--threshold", "create.count > 100", "--label", "ci"])
    #expect(result.status == .exited(99))
    let xml = try result.file("xml")
    // A machine that is busy may cross thresholds of speed too.
    let crossed = try result.document().thresholds.filter { !$0.pass }.map(\.expression)
    let slow = ["create.max < 500ms", "switch.max < 100ms"]
    #expect(crossed.filter { !slow.contains($0) } == ["create.count > 100"])
    let counts = "tests=\"7\" failures=\"\(crossed.count)\" errors=\"0\" skipped=\"1\""
    let name = "bench-dirinit (ci)"
    let start = try result.document().startedAt
    #expect(xml.contains("<testsuite name=\"\(name)\" id=\"\(name)@\(start)\" \(counts)"), "\(xml)")
    #expect(xml.contains(">threshold: create.count &gt; 100\nobserved: 3</failure>"), "\(xml)")
  }
}
