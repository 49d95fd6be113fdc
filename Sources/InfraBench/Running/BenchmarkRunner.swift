import FoundationEssentials
import Glibc
import LoadEngine
import ProcessControl

/// Runs a benchmark as its user sees it: measures, judges, writes, prints, and says how the process ends.
package struct BenchmarkRunner: Sendable {
  private let output: OutputSettings
  private let thresholds: [Threshold]
  private let environment: [String: String]
  /// Which of several runs this is.
  var repetition: ResultDocument.Repetition?
  /// What is known of it before it begins.
  var notes: [String] = []

  package init(output: OutputSettings, thresholds: [Threshold], environment: [String: String]) {
    self.output = output
    self.thresholds = thresholds
    self.environment = environment
  }

  /// A single run. Never throws: whatever happens is said, and is in the exit.
  package func run(_ benchmark: some Benchmark) async -> ToolExit {
    await Interruption.run { interruption in await run(benchmark, interruption).exit }
  }

  /// One of the runs that `interruption` may end; its document is nil where nothing was measured.
  func run(
    _ benchmark: some Benchmark, _ interruption: Interruption
  ) async -> (exit: ToolExit, document: ResultDocument?) {
    // Whoever reads the output may go away; the result is written all the same.
    signal(SIGPIPE, SIG_IGN)
    let limit = FileDescriptorLimit.raise()
    let bench = Bench(console: Console(print: output.print, isQuiet: output.isQuiet))
    if Suite.build == "debug" {
      bench.note("a debug build of the tools: latencies are higher than those of a release build")
    }
    for note in notes { bench.note(note) }
    if let problem = DescriptorShortage.problem(files: benchmark.openFiles, limit: limit) {
      bench.console.error(problem)
      return (.failed, nil)
    }
    let conditions = GeneratorConditions()
    let outcome = await DescriptorShortage.watching { () async throws(BenchmarkFailure) in
      try await benchmark.measure(bench)
    }
    let signal = interruption.signal
    switch outcome {
    case .failure(let failure):
      bench.console.error(failure.description)
      return (signal.map { ToolExit.interrupted(signal: $0) } ?? .failed, nil)
    case .success(let measurement):
      let target = measurement.target
      for note in conditions.notes(target: target.place, isGateway: target.isGateway) { bench.note(note) }
      // Said as the error that it is, at the end.
      if signal == nil, let reason = measurement.worthless { bench.notes.add(reason) }
      var document = ResultAssembly(
        measurement: measurement, thresholds: thresholds, output: output, environment: environment,
        isInterrupted: signal != nil, notes: bench.notes.all
      ).document(of: benchmark)
      document.repetition = repetition
      for note in document.notes { bench.note(note) }
      return (report(document, of: measurement, signal: signal, console: bench.console), document)
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
    case .fail:
      // The other reports are for people, and say it themselves.
      if output.print == .json { for reason in failures(of: document) { console.note("fail: \(reason)") } }
      if let cause = measurement.recording.errors.commonestWords { console.note("note: \(cause)") }
      return .thresholdCrossed
    case .error:
      let reason = measurement.worthless ?? "nothing was measured: no iteration gave the sample that this tool is for"
      let cause = measurement.recording.errors.commonestWords
      console.error(reason + (cause.map { "; \($0)" } ?? ""))
      return .failed
    case .interrupted: return .failed
    }
  }

  private func failures(of document: ResultDocument) -> [String] {
    let saturation = output.allowsSaturated ? nil : document.generator.saturatedReason
    return [saturation.map { "saturated: \($0). \(Saturation.advice)" }].compactMap(\.self)
      + document.thresholds.filter { !$0.pass }.map(ReportTables.crossing)
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
        case .junit: JUnitReport(document).xml
        case .csv: CSVReport(document).text
        case .openmetrics: try OpenMetricsReport(document).text
        }
      return (fileExtension: format.fileExtension, text: text)
    }
    return try ResultWriter(directory: output.directory).write(
      tool: document.tool, label: document.label, startedAt: startedAt, contents: contents)
  }
}
