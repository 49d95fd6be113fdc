import FoundationEssentials
import Glibc
import Latency
import ProcessControl
import Synchronization
import Reports
import Results
import TextFormatting

/// One run of the suite: it runs the tools one after another as child processes, and publishes their results.
final class SuiteRun: Sendable {
  private struct State {
    var end = SuiteEnd()
    var running: ToolProcess?
    /// Whether the running tool was killed because it did not end in time.
    var isOverdue = false
    /// The comparison that publishing waits for. It gets nil when the suite is to end early.
    var comparison: FirstValue<SuiteComparison?>?
    /// Timers that end what takes too long after a signal. They are cancelled with the run, so that none ends a later
    /// one.
    var alarms: [Task<Void, Never>] = []
    /// Directories of tools that were killed, or whose gateway was.
    var leftovers: [TemporaryFiles] = []
  }

  /// Compares a run's results with earlier ones.
  typealias Compare =
    @Sendable (
      _ results: [(file: String, document: ResultDocument)], _ settings: SuiteSettings
    ) async -> SuiteComparison

  /// How long a tool may take from the first signal on. It needs at most 6 s, and the summary a moment more; a CI
  /// runner sends SIGKILL after 7.5 s.
  private static let patience = Duration.milliseconds(6_700)
  /// The part of the time after a signal that removing temporary files may take.
  private static let cleaning = Duration.milliseconds(200)
  /// How long writing the files may take after a second signal.
  private static let hurry = Duration.seconds(1)

  let settings: SuiteSettings
  let environment: [String: String]
  private let programs: String
  let files: SuiteFiles
  let console = Console(print: .text, isQuiet: false)
  let startedAt = Timestamp(Date()).iso8601
  private let compare: Compare
  /// The instant at which a signal came: a second one soon after the first is a repetition.
  private let now: @Sendable () -> Instant
  private let state = Mutex(State())

  /// - Parameter programs: The directory of the tools; nil: the directory of this program.
  init(
    settings: SuiteSettings, environment: [String: String], programs: String? = nil,
    compare: @escaping Compare = { await SuiteComparison.make(of: $0, $1) },
    now: @escaping @Sendable () -> Instant = { MonotonicClock.now() }
  ) {
    self.settings = settings
    self.environment = environment
    self.programs = programs ?? Executables.ownDirectory
    self.compare = compare
    self.now = now
    files = SuiteFiles(directory: settings.directory)
  }

  /// Runs all tools and publishes their results; returns the exit status.
  func perform(endedBy signals: TerminationSignals) async -> Int32 {
    await perform { await signals.forEach($0) }
  }

  /// - Parameter watchSignals: Calls its argument with the number of every signal until its task is cancelled.
  func perform(
    watchSignals: @escaping @Sendable (_ take: @Sendable (Int32) -> Void) async -> Void
  ) async -> Int32 {
    let work = Task { await runAndPublish() }
    let watcher = Task {
      await watchSignals { number in
        self.act(after: number) { $0.receive(number, at: self.now()) }
        // A cancelled flush is bounded: the sender of the signal does not wait for a terminal that is stopped.
        work.cancel()
      }
    }
    let timer = settings.deadline.map { deadline in
      Task {
        guard (try? await Task.sleep(for: deadline)) != nil else { return }
        act(after: SIGTERM) { $0.passDeadline() }
      }
    }
    let status = await work.value
    watcher.cancel()
    timer?.cancel()
    for alarm in state.withLock({ $0.alarms }) { alarm.cancel() }
    return status
  }

  private func act(after signal: Int32, _ event: (inout SuiteEnd) -> [SuiteEnd.Action]) {
    // Under one lock: a tool that is just being started gets the signal from here or from `run(_:)`, and never from
    // both.
    let (actions, running, comparison) = state.withLock { state in
      let actions = event(&state.end)
      return (actions, state.running, state.end.cause == nil ? nil : state.comparison)
    }
    comparison?.give(nil)
    for action in actions {
      switch action {
      case .signalTool(let number):
        running?.signal(number)
        after(Self.patience) {
          self.state.withLock { state in
            if state.running?.signal(SIGKILL) == true { state.isOverdue = true }
          }
        }
      case .hurry:
        after(Self.hurry) { TerminationSignals.endAtOnce(by: signal, saying: "ended at once by a second signal\n") }
      }
    }
  }

  /// Calls `act` after `time`, unless the run is over by then.
  private func after(_ time: Duration, _ act: @escaping @Sendable () -> Void) {
    let alarm = Task.detached {
      guard (try? await Task.sleep(for: time)) != nil else { return }
      act()
    }
    state.withLock { $0.alarms.append(alarm) }
  }

  /// Why the suite ends early; nil as long as it does not.
  var cause: SuiteEnd.Cause? { state.withLock { $0.end.cause } }

  /// The comparison; nil where the suite ends early, because reading a large folder would delay the end.
  func comparison(
    of results: [(file: String, document: ResultDocument)]
  ) async -> SuiteComparison? {
    let comparison = FirstValue<SuiteComparison?>()
    let isEnding = state.withLock { state in
      state.comparison = comparison
      return state.end.cause != nil
    }
    if isEnding { return nil }
    let (compare, settings) = (self.compare, self.settings)
    Task.detached {
      let found = await compare(results, settings)
      comparison.give(found)
    }
    return await comparison.wait()
  }

  /// Removes the temporary files that no tool removes any more. This comes last: nothing is lost if it is cut off.
  private func removeLeftovers() async {
    let leftovers = state.withLock { $0.leftovers }
    guard !leftovers.isEmpty else { return }
    let isOver = FirstValue<Void>()
    Task.detached {
      for temporary in leftovers { await temporary.remove() }
      isOver.give(())
    }
    if cause != nil {
      Task.detached {
        try? await Task.sleep(for: Self.cleaning)
        isOver.give(())
      }
    }
    await isOver.wait()
  }

  // MARK: The tools

  private func runAndPublish() async -> Int32 {
    var tools: [SuiteSummary.Tool] = []
    var results: [(file: String, document: ResultDocument)] = []
    for note in settings.notes { console.note("note: \(note)") }
    var isFirst = true
    for (index, tool) in settings.tools.enumerated() {
      if let reason = tool.skipReason {
        console.note("\n==> \(tool.title) is skipped: \(reason)")
        tools.append(.init(tool, notStarted: "skipped", reason: reason))
        continue
      }
      if let cause {
        tools.append(.init(tool, notStarted: "not run", reason: cause.notRunReason))
        continue
      }
      let problems = files.write(summary(tools + waiting(from: index), state: .running, exitStatus: 1))
      if isFirst { for problem in problems { console.error(problem) } }
      isFirst = false
      console.note("\n==> \(PlainText.line(tool.commandLine))")
      // The tool writes to the same streams, so everything before it must be written first.
      await console.flush()
      let outcome = await run(tool)
      results += outcome.results
      tools += outcome.summaries(of: tool, cause: cause)
    }
    let status = await publish(tools, results)
    // Here a signal still ends the wait for a terminal that is stopped.
    await console.flush()
    await removeLeftovers()
    return status
  }

  /// The tools that have not ended yet; the first of them is running.
  private func waiting(from index: Int) -> [SuiteSummary.Tool] {
    settings.tools[index...].enumerated().map { place, tool in
      if let reason = tool.skipReason { return .init(tool, notStarted: "skipped", reason: reason) }
      return place == 0
        ? .init(tool, notStarted: "running", reason: "it was running when this was written")
        : .init(tool, notStarted: "not run", reason: "waiting")
    }
  }

  private func run(_ tool: PlannedTool) async -> ToolProcess.Outcome {
    let temporary = tool.keepsFiles ? nil : TemporaryFiles(environment: environment)
    defer {
      if let temporary, !temporary.removeIfEmpty() { state.withLock { $0.leftovers.append(temporary) } }
    }
    let process: ToolProcess
    do throws(ToolStartError) {
      process = try await ToolProcess.start(tool, in: programs, environment: environment, temporary: temporary)
    } catch {
      console.error("\(error)")
      return ToolProcess.Outcome(end: .notStarted("\(error)"))
    }
    let cause = state.withLock { state in
      state.running = process
      return state.end.cause
    }
    // A signal that came while the tool was being started found no process, so the tool gets it now.
    if let cause { process.signal(cause.signal) }
    var outcome = await process.outcome()
    state.withLock { state in
      state.running = nil
      state.end.toolEnded(outcome.end)
      if state.isOverdue { outcome.end.reason = "it did not end within \(Self.patience) of the signal and was killed" }
    }
    if let reason = outcome.end.reason { console.error("\(tool.title): \(reason)") }
    return outcome
  }
}

extension ToolProcess.Outcome {
  /// One summary of all runs. Where two gateways were measured in turn, each gets its own, because figures of both
  /// together would be neither gateway's.
  ///
  /// - Parameter cause: Why the suite ends early; nil where it does not.
  fileprivate func summaries(of tool: PlannedTool, cause: SuiteEnd.Cause?) -> [SuiteSummary.Tool] {
    let wasInterrupted = end.interruption != nil
    let sorted = results.sorted { $0.document.startedAt < $1.document.startedAt }
    var labels: [String?] = []
    for result in sorted where !labels.contains(result.document.label) { labels.append(result.document.label) }
    let groups = labels.count > 1 ? labels.map { label in sorted.filter { $0.document.label == label } } : [sorted]
    return groups.enumerated().map { place, group in
      SuiteSummary.Tool(
        tool: tool.name, exitStatus: end.status, results: group,
        reason: end.reason ?? (wasInterrupted ? cause.map { "interrupted: \($0.name)" } : nil),
        messages: place == groups.count - 1 ? messages : [], label: tool.label)
    }
  }
}

extension SuiteSummary.Tool {
  /// A tool that has no result, and why.
  fileprivate init(_ tool: PlannedTool, notStarted verdict: String, reason: String?) {
    self.init(tool: tool.name, notStarted: verdict, reason: reason)
    label = tool.label
  }
}

/// Publishing: before each tool, that the run goes on; at the end, its outcome.
extension SuiteRun {
  func publish(
    _ tools: [SuiteSummary.Tool], _ results: [(file: String, document: ResultDocument)]
  ) async -> Int32 {
    var comparison = await comparison(of: results)
    // From here on a signal cuts nothing off.
    let cause = cause
    if cause != nil { comparison = nil }
    let status = cause?.exitStatus ?? SuiteSummary.worst(tools.map(\.exitStatus) + [comparison?.exitStatus ?? 0])
    let isSilent = comparison?.finding.outcome == .noEarlierDay && !settings.failsOnRegression
    var summary = summary(tools, state: cause == nil ? .finished : .interrupted, exitStatus: status)
    summary.startedAt = results.reduce(summary.startedAt) { min($0, $1.document.startedAt) }
    summary.interruption = cause?.name
    summary.comparison = comparison?.finding
    console.note("\n==> summary")
    let markdown = isSilent ? nil : comparison?.markdown
    write(&summary, markdown)
    console.data(SummaryReport(summary).text)
    if let comparison, !isSilent {
      console.note("\n==> comparison")
      console.data("\n" + comparison.text)
    }
    for failure in summary.failures { console.note("fail: \(PlainText.line(failure))") }
    if summary.unwritten == nil { console.note("wrote \(PlainText.list(files.paths, "and"))") }
    // The process ends with a failure then, and no file may say otherwise.
    if await console.flush(), let loss = console.lostData {
      note([loss], in: &summary)
      write(&summary, markdown)
    }
    appendToStepSummary(summary, markdown)
    return summary.exitStatus
  }

  /// Writes the three files. Where one of them can't be written, the others say so, and hold the exit status that
  /// follows.
  private func write(_ summary: inout SuiteSummary, _ comparison: String?) {
    let problems = files.write(summary, comparison: comparison)
    guard !problems.isEmpty else { return }
    note(problems, in: &summary)
    _ = files.write(summary, comparison: comparison)
  }

  /// Notes what could not be written. That is a failure, unless the suite was interrupted: that status says more.
  private func note(_ problems: [String], in summary: inout SuiteSummary) {
    summary.unwritten = (summary.unwritten ?? []) + problems
    if summary.state == .finished {
      summary.exitStatus = SuiteSummary.worst([summary.exitStatus, ToolExit.failed.status])
    }
  }

  func summary(_ tools: [SuiteSummary.Tool], state: SuiteSummary.State, exitStatus: Int32) -> SuiteSummary {
    SuiteSummary(
      startedAt: startedAt, state: state, exitStatus: exitStatus, tools: tools,
      notes: settings.notes.isEmpty ? nil : settings.notes, label: settings.label)
  }

  private func appendToStepSummary(_ summary: SuiteSummary, _ comparison: String?) {
    guard let path = environment["GITHUB_STEP_SUMMARY"], !path.isEmpty else { return }
    let text = SummaryReport(summary).markdown + (comparison.map { "\n\($0)" } ?? "")
    if let problem = StepSummary.append(text, to: path, whole: files.paths[0]) {
      console.note("note: GITHUB_STEP_SUMMARY: \(problem)")
    }
  }
}
