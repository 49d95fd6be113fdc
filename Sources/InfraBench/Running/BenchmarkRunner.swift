import FoundationEssentials
import Glibc
import LoadEngine
import ProcessControl

/// Runs a benchmark as its user sees it: measures, judges, writes, prints, and says how the process ends.
package struct BenchmarkRunner: Sendable {
  private let output: OutputSettings
  private let thresholds: [Threshold]
  private let environment: [String: String]

  package init(output: OutputSettings, thresholds: [Threshold], environment: [String: String]) {
    self.output = output
    self.thresholds = thresholds
    self.environment = environment
  }

  /// Never throws: whatever happens is said, and is in the exit.
  package func run<B: Benchmark>(_ benchmark: B) async -> ToolExit {
    // Whoever reads the output may go away; the result is written all the same.
    signal(SIGPIPE, SIG_IGN)
    FileDescriptorLimit.raise()
    let bench = Bench(console: Console(print: output.print, isQuiet: output.isQuiet))
    if Suite.build == "debug" {
      bench.note("a debug build of the tools: latencies are higher than those of a release build")
    }
    let conditions = GeneratorConditions()
    let (outcome, interruption) = await Interruption.run { () -> Result<Measurement, BenchmarkFailure> in
      await Result(catching: { () async throws(BenchmarkFailure) in try await benchmark.measure(bench) })
    }
    switch outcome {
    case .failure(let failure):
      bench.console.error(failure.description)
      return interruption.map { ToolExit.interrupted(signal: $0) } ?? .failed
    case .success(let measurement):
      let target = measurement.target
      for note in conditions.notes(target: target.place, isGateway: target.isGateway) { bench.note(note) }
      // Said as the error that it is, at the end.
      if interruption == nil, let reason = measurement.worthless { bench.notes.add(reason) }
      let document = ResultAssembly(
        measurement: measurement, thresholds: thresholds, output: output, environment: environment,
        isInterrupted: interruption != nil, notes: bench.notes.all
      ).document(of: benchmark)
      for note in document.notes { bench.note(note) }
      return report(document, of: measurement, signal: interruption, console: bench.console)
    }
  }

  private func report(
    _ document: ResultDocument, of measurement: Measurement, signal: Int32?, console: Console
  ) -> ToolExit {
    do {
      let json = try ResultCoding.encode(document)
      let markdown = MarkdownReport(document).text
      // Written first: whoever reads the output may stop in the middle of it.
      let written = Result { try write(document, json: json, markdown: markdown, startedAt: measurement.startedAt) }
      switch output.print {
      case .text: console.data(TextReport(document, usesColor: output.usesColor).text)
      case .json: console.data(json)
      case .md: console.data(markdown)
      }
      for path in try written.get() { console.note("wrote \(path)") }
    } catch {
      console.error("the result could not be written: \(error)")
      return .failed
    }
    if let signal { return .interrupted(signal: signal) }
    switch document.verdict {
    case .pass: return .pass
    case .fail: return .thresholdCrossed
    case .error:
      console.error(
        measurement.worthless ?? "nothing was measured: no iteration gave the sample that this tool is for")
      return .failed
    case .interrupted: return .failed
    }
  }

  private func write(
    _ document: ResultDocument, json: String, markdown: String, startedAt: Date
  ) throws -> [String] {
    let formats = OutputSettings.Format.allCases.filter(output.formats.contains)
    let contents = try formats.map { format in
      let text =
        switch format {
        case .md: markdown
        case .json: json
        case .html: ResultHTML(document).source
        case .csv: CSVReport(document).text
        case .openmetrics: try OpenMetricsReport(document).text
        }
      return (fileExtension: format.fileExtension, text: text)
    }
    return try ResultWriter(directory: output.directory).write(
      tool: document.tool, label: document.label, startedAt: startedAt, contents: contents)
  }
}
