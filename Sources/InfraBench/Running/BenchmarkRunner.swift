import AWS
import FoundationEssentials
import Glibc
import LoadEngine
import ProcessControl
import Synchronization
import Transport
import Reports
package import Results

/// Runs a benchmark for its user: measures, judges, writes and prints, and decides the exit status.
package struct BenchmarkRunner: Sendable {
  private let output: OutputSettings
  private let thresholds: [Threshold]
  private let environment: [String: String]
  /// The number of this run among several.
  var repetition: ResultDocument.Repetition?
  /// Notes that are known before the run begins.
  var notes: [String] = []

  package init(output: OutputSettings, thresholds: [Threshold], environment: [String: String]) {
    self.output = output
    self.thresholds = thresholds
    self.environment = environment
  }

  /// Makes a single run. It never throws: all errors are printed, and decide the exit.
  package func run(_ benchmark: some Benchmark) async -> ToolExit {
    await Interruption.run { interruption in await run(benchmark, interruption).exit }
  }

  /// Makes one of the runs that `interruption` may end. The document is nil where nothing was measured.
  func run<B: Benchmark>(
    _ benchmark: B, _ interruption: Interruption
  ) async -> (exit: ToolExit, document: ResultDocument?) {
    // The reader of the output may go away, and the result must be written then too.
    signal(SIGPIPE, SIG_IGN)
    let limit = FileDescriptorLimit.raise()
    interruption.startsRun()
    let files = RunResultFiles(output)
    let console = Console(print: output.print, isQuiet: output.isQuiet)
    let notebook = RunNotes()
    let held = HeldTasks()
    let soakPlace = SoakPlace(
      label: output.label, thresholds: thresholds, environment: environment,
      create: { startedAt in
        Result { () throws(ResultWriteError) in try files.createSoakFile(tool: B.tool, startedAt: startedAt) }
      })
    let bench = RunContext(console: console, notes: notebook, held: held, soakPlace: soakPlace) { measurement in
      // Written before tasks are given back: the sender of the signal may not wait for longer.
      interruption.whenSignalled {
        let stillHeld = held.unreleased > 0 ? Self.stillHeld(held.unreleased) : nil
        let known = notebook.all + [stillHeld, held.unansweredNote, measurement.pending()].compactMap(\.self)
        let document = self.document(
          of: benchmark, measurement, held, notes: known, isInterrupted: true)
        guard let forms = try? RunResultFiles.Forms(document, measurement.shard?.assignments(of: held)),
          (try? files.write(forms, startedAt: measurement.startedAt, isFinal: false)) != nil
        else { return }
        interruption.isWritten {
          self.say(forms, console)
          await console.flushSoon()
        }
      }
    }
    if SuiteVersion.build == "debug" {
      bench.note("a debug build of the tools: latencies are higher than those of a release build")
    }
    for note in notes { bench.note(note) }
    if let problem = DescriptorShortage.problem(files: benchmark.openFiles, limit: limit) {
      bench.console.error(problem)
      return (.failed, nil)
    }
    if benchmark.callsAWS {
      do throws(TransferError) { try CurlTransport.loadLibrary() } catch {
        bench.console.error(error.message)
        return (.failed, nil)
      }
    }
    let conditions = GeneratorConditions()
    let outcome = await DescriptorShortage.watching { () async throws(BenchmarkFailure) in
      try await benchmark.measure(bench)
    }
    interruption.whenSignalled(nil)
    let signal = interruption.signal
    switch outcome {
    case .failure(let failure):
      console.error(failure.description)
      return (signal.map { ToolExit.interrupted(signal: $0) } ?? .failed, nil)
    case .success(let measurement):
      let target = measurement.target
      for note in conditions.notes(target: target.place, isGateway: target.isGateway) { bench.note(note) }
      if let note = held.unansweredNote { bench.note(note) }
      // It is printed at the end, as an error.
      if signal == nil, let reason = measurement.worthless { notebook.add(reason) }
      let document = document(of: benchmark, measurement, held, notes: notebook.all, isInterrupted: signal != nil)
      for note in document.notes { bench.note(note) }
      let exit = report(
        document, of: measurement, held, in: files, signal: signal, isSaid: !interruption.mayReport(), console: console)
      interruption.isWritten { await console.flushSoon() }
      return (exit, document)
    }
  }

  private static func stillHeld(_ number: Int) -> String {
    "\(number == 1 ? "1 task was" : "\(number) tasks were") not given back yet when this was written"
  }

  private func document<B: Benchmark>(
    of benchmark: B, _ measurement: Measurement, _ held: HeldTasks, notes: [String], isInterrupted: Bool
  ) -> ResultDocument {
    var measurement = measurement
    if B.catalogue.counters.contains(HeldTasks.counter) {
      measurement.recording.count(B.catalogue.counter(HeldTasks.counter), by: UInt64(held.unreleased))
    }
    var document = ResultAssembly(
      measurement: measurement, thresholds: thresholds, output: output, environment: environment,
      isInterrupted: isInterrupted, notes: notes
    ).document(of: benchmark)
    document.repetition = repetition
    document.shard = measurement.shard?.record(held)
    return document
  }

  private func report(
    _ document: ResultDocument, of measurement: Measurement, _ held: HeldTasks, in files: RunResultFiles,
    signal: Int32?, isSaid: Bool, console: Console
  ) -> ToolExit {
    // The last line of a soak's file comes first: it is small, and the others may fill the disk.
    let lack = measurement.soak?.end(document)
    if let lack { console.error(lack) }
    do {
      let forms = try RunResultFiles.Forms(document, measurement.shard?.assignments(of: held))
      // The files come first: the reader of the output may stop in the middle of it.
      let written = Result { try files.write(forms, startedAt: measurement.startedAt, isFinal: true) }
      if !isSaid { say(forms, console) }
      for path in try written.get() { console.note("wrote \(path)") }
    } catch {
      console.error("the result could not be written: \(error)")
      return .failed
    }
    if lack != nil { return .failed }
    if let signal { return .interrupted(signal: signal) }
    switch document.verdict {
    case .pass: return .pass
    case .fail:
      // Reports in other forms are for people, and contain the failures.
      if output.print == .json { for reason in failures(of: document) { console.note("fail: \(reason)") } }
      if let cause = measurement.recording.errors.commonestWords { console.note("note: \(cause)") }
      return .thresholdCrossed
    case .error:
      let lack = measurement.reasonWithoutSample ?? "no iteration gave the sample that this tool is for"
      let reason = measurement.worthless ?? "nothing was measured: \(lack)"
      let cause = measurement.recording.errors.commonestWords
      console.error(reason + (cause.map { "; \($0)" } ?? ""))
      return .failed
    case .interrupted: return .failed
    }
  }

  /// Prints a result to standard output.
  private func say(_ forms: RunResultFiles.Forms, _ console: Console) {
    switch output.print {
    case .text: console.data(TextReport(forms.document, usesColor: output.usesColor).text)
    case .json: console.data(forms.json)
    case .md: console.data(forms.markdown)
    }
  }

  private func failures(of document: ResultDocument) -> [String] {
    let saturation = output.allowsSaturated ? nil : document.generator.saturatedReason
    return [saturation.map { "saturated: \($0). \(Saturation.advice)" }].compactMap(\.self)
      + document.thresholds.filter { !$0.pass }.map(\.crossing)
  }
}

/// The files of one run's result. They are written once; where a signal ends the run, they are written before anything
/// is given back, and again when the outcome of that is known.
final class RunResultFiles: Sendable {
  /// A result in all forms.
  struct Forms: Sendable {
    var document: ResultDocument
    var json: String
    var markdown: String
    /// The assignments of a shard, for its file beside the result.
    var assignments: String?

    init(_ document: ResultDocument, _ assignments: String? = nil) throws {
      self.document = document
      self.assignments = assignments
      json = try ResultCoding.encode(document)
      markdown = MarkdownReport(document).text
    }
  }

  private let output: OutputSettings

  private struct Files {
    /// The files' paths, in the order of the formats; nil until they are written.
    var paths: [String]?
    var areFinal = false
    /// Where a soak has made its file, the folder and the stem that the run's other files take.
    var reserved: (folder: String, stem: String)?
  }

  private let files = Mutex(Files())

  init(_ output: OutputSettings) { self.output = output }

  /// Writes the files, or replaces those that this run has written; returns their paths.
  ///
  /// - Parameter isFinal: A final result is not replaced. The interim result of a signal that came at the very end
  ///   writes nothing.
  func write(_ forms: Forms, startedAt: Date, isFinal: Bool) throws -> [String] {
    let contents = try contents(forms)
    return try files.withLock { files in
      if files.areFinal, let paths = files.paths { return paths }
      files.areFinal = isFinal
      if let paths = files.paths {
        for (path, content) in zip(paths, contents) { try ResultWriter.replace(path, with: content.text) }
        return paths
      }
      let written =
        if let (folder, stem) = files.reserved {
          try ResultWriter(directory: folder).write(
            stem: stem, contents: contents.map { (suffix: ".\($0.fileExtension)", text: $0.text) })
        } else {
          try ResultWriter(directory: output.directory).write(
            tool: forms.document.tool.name, label: forms.document.label, startedAt: startedAt, contents: contents)
        }
      files.paths = written
      if let file = written.first(where: { $0.hasSuffix(".json") }) {
        SuitePipe.current?.report(.result(file: file))
      }
      return written
    }
  }

  /// Makes the file of a soak that begins now. The result's files will have its name.
  func createSoakFile(
    tool: String, startedAt: Date
  ) throws(ResultWriteError) -> (descriptor: Int32, path: String) {
    let made = try ResultWriter(directory: output.directory).create(
      tool: tool, label: output.label, startedAt: startedAt, suffix: SoakLine.fileSuffix)
    files.withLock { $0.reserved = (made.folder, made.stem) }
    return (made.descriptor, made.path)
  }

  private func contents(_ forms: Forms) throws -> [(fileExtension: String, text: String)] {
    let assignments = forms.assignments.map { [(String(AssignmentFile.suffix.dropFirst()), $0)] } ?? []
    return try assignments
      + ResultFormat.allCases.filter(output.formats.contains).map { format in
        let text =
          switch format {
          case .md: forms.markdown
          case .json: forms.json
          case .html: ResultHTML(forms.document).source
          case .junit: JUnitReport(forms.document).xml
          case .csv: CSVReport(forms.document).text
          case .openmetrics: try OpenMetricsReport(forms.document).text
          }
        return (fileExtension: format.fileExtension, text: text)
      }
  }
}

/// Handles a run for which this process may not have enough files open. That is no failure of the target: where the
/// plan shows it, it is reported before the run; where it happens, it ends the run; it is never counted.
enum DescriptorShortage {
  /// The files that a tool has open beside its connections: loops, streams, libraries, reports.
  static let ownFiles = 64

  /// Why a plan of `files` sockets and files cannot be carried out within `limit`; nil where it can.
  static func problem(files: Int, limit: Int) -> String? {
    let (needed, overflows) = files.addingReportingOverflow(ownFiles)
    guard overflows || needed > limit else { return nil }
    return
      "this run needs about \(needed) open files and sockets, but this process may have \(limit): \(remedy(needed)), or run "
      + "fewer users at one time"
  }

  /// Measures, and ends the run when no more files can be opened.
  static func watching(
    _ measure: @escaping @Sendable () async throws(BenchmarkFailure) -> Measurement
  ) async -> Result<Measurement, BenchmarkFailure> {
    let task = Task { await Result(catching: { () async throws(BenchmarkFailure) in try await measure() }) }
    FileDescriptorLimit.watch { task.cancel() }
    defer { FileDescriptorLimit.watch(nil) }
    let result = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    guard FileDescriptorLimit.wasExceeded else { return result }
    // The run's own reason for its end is left out: it follows from this one.
    return result.map { measurement in
      var measurement = measurement
      measurement.worthless = reason
      return measurement
    }.mapError { _ in BenchmarkFailure(reason) }
  }

  private static var reason: String {
    let limit = FileDescriptorLimit.raise()
    return "the run was ended: this process may have only \(limit) files and sockets open, and needed more; "
      + "\(remedy(2 * limit)), or run fewer users at one time"
  }

  private static func remedy(_ number: Int) -> String {
    "raise the limit with 'ulimit -n \(number)' (the hard one, 'ulimit -Hn', is root's to raise)"
  }
}

extension ResultDocument.Target {
  /// Whether the target was spoken to as a gateway; else it was a file system, or ECS alone.
  var isGateway: Bool { gatewayUrl != nil }

  /// Where the target is, as far as its URL tells.
  var place: GeneratorConditions.TargetLocation {
    if kind == "embedded" { return .ownChild }
    guard let url = gatewayUrl ?? ecsEndpointUrl, let endpoint = try? Endpoint(parsing: url) else { return .elsewhere }
    return endpoint.isLoopback ? .loopback : .elsewhere
  }
}
