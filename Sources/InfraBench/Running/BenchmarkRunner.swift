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
    // The reader of the output may go away: the result must be written then too.
    signal(SIGPIPE, SIG_IGN)
    let limit = FileDescriptorLimit.raise()
    interruption.startsRun()
    let files = RunDocument(output)
    let console = Console(print: output.print, isQuiet: output.isQuiet)
    let notebook = NoteBook()
    let held = HeldTasks()
    let bench = Bench(console: console, notes: notebook, held: held) { measurement in
      // Written before tasks are given back: the sender of the signal may not wait for more than that.
      interruption.whenSignalled {
        let stillHeld = held.unreleased > 0 ? Self.stillHeld(held.unreleased) : nil
        let known = notebook.all + [stillHeld, held.unansweredNote, measurement.pending()].compactMap(\.self)
        let document = self.document(
          of: benchmark, measurement, held, notes: known, isInterrupted: true)
        guard let forms = try? RunDocument.Forms(document),
          (try? files.write(forms, startedAt: measurement.startedAt, isFinal: false)) != nil
        else { return }
        interruption.isWritten {
          self.say(forms, console)
          await console.flushSoon()
        }
      }
    }
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
      // Said as the error that it is, at the end.
      if signal == nil, let reason = measurement.worthless { notebook.add(reason) }
      let document = document(of: benchmark, measurement, held, notes: notebook.all, isInterrupted: signal != nil)
      for note in document.notes { bench.note(note) }
      let exit = report(
        document, of: measurement, in: files, signal: signal, isSaid: !interruption.mayReport(), console: console)
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
    return document
  }

  private func report(
    _ document: ResultDocument, of measurement: Measurement, in files: RunDocument, signal: Int32?, isSaid: Bool,
    console: Console
  ) -> ToolExit {
    do {
      let forms = try RunDocument.Forms(document)
      // Written first: the reader of the output may stop in the middle of it.
      let written = Result { try files.write(forms, startedAt: measurement.startedAt, isFinal: true) }
      if !isSaid { say(forms, console) }
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
      let lack = measurement.reasonWithoutSample ?? "no iteration gave the sample that this tool is for"
      let reason = measurement.worthless ?? "nothing was measured: \(lack)"
      let cause = measurement.recording.errors.commonestWords
      console.error(reason + (cause.map { "; \($0)" } ?? ""))
      return .failed
    case .interrupted: return .failed
    }
  }

  /// Says a result on standard output.
  private func say(_ forms: RunDocument.Forms, _ console: Console) {
    switch output.print {
    case .text: console.data(TextReport(forms.document, usesColor: output.usesColor).text)
    case .json: console.data(forms.json)
    case .md: console.data(forms.markdown)
    }
  }

  private func failures(of document: ResultDocument) -> [String] {
    let saturation = output.allowsSaturated ? nil : document.generator.saturatedReason
    return [saturation.map { "saturated: \($0). \(Saturation.advice)" }].compactMap(\.self)
      + document.thresholds.filter { !$0.pass }.map(ReportTables.crossing)
  }
}
