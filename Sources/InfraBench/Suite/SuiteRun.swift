import FoundationEssentials
import Glibc
import Latency
import ProcessControl
import Synchronization
import Reports
import Results
import TextFormatting

/// One run of the suite: its tools one after another as child processes, and what is published of them.
final class SuiteRun: Sendable {
  private struct State {
    var end = SuiteEnd()
    var running: ToolProcess?
    /// Whether the running tool was killed because it did not end in time.
    var isOverdue = false
    /// What publishing waits for: the comparison, or nil once the suite is to end.
    var comparison: FirstValue<SuiteComparison?>?
    /// They end what takes too long after a signal, and are cancelled with the run: a run that is over is ended by nobody.
    var alarms: [Task<Void, Never>] = []
    /// Of tools that were killed, or whose gateway was.
    var leftovers: [TemporaryFiles] = []
  }

  /// Compares a run's results with earlier ones.
  typealias Compare =
    @Sendable (
      _ results: [(file: String, document: ResultDocument)], _ settings: SuiteSettings
    ) async -> SuiteComparison

  /// From the first signal on a tool takes at most 6 s, and writing the summary a moment; a CI runner sends SIGKILL after 7.5 s.
  private static let patience = Duration.milliseconds(6_700)
  /// How much of that the removal of temporary files may take.
  private static let cleaning = Duration.milliseconds(200)
  /// How long the files may take when somebody has asked twice.
  private static let hurry = Duration.seconds(1)

  let settings: SuiteSettings
  let environment: [String: String]
  private let programs: String
  let files: SuiteFiles
  let console = Console(print: .text, isQuiet: false)
  let startedAt = Timestamp(Date()).iso8601
  private let compare: Compare
  private let state = Mutex(State())

  /// - Parameter programs: the directory of the tools; nil: this program's own.
  init(
    settings: SuiteSettings, environment: [String: String], programs: String? = nil,
    compare: @escaping Compare = { await SuiteComparison.make(of: $0, $1) }
  ) {
    self.settings = settings
    self.environment = environment
    self.programs = programs ?? Executables.ownDirectory
    self.compare = compare
    files = SuiteFiles(directory: settings.directory)
  }

  /// Runs all of it; the exit status.
  func perform(endedBy signals: TerminationSignals) async -> Int32 {
    await perform { await signals.forEach($0) }
  }

  /// - Parameter watchSignals: hands every signal's number to its argument until its task is cancelled.
  func perform(
    watchSignals: @escaping @Sendable (_ take: @Sendable (Int32) -> Void) async -> Void
  ) async -> Int32 {
    let work = Task { await runAndPublish() }
    let watcher = Task {
      await watchSignals { number in
        self.act(after: number) { $0.receive(number, at: MonotonicClock.now()) }
        // The sender of a signal does not wait for a terminal that is stopped.
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
    // At one time: a tool that is just being started gets the signal from here or from who starts it, and not from both.
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

  /// Does something after a time unless the run is over by then.
  private func after(_ time: Duration, _ act: @escaping @Sendable () -> Void) {
    let alarm = Task.detached {
      guard (try? await Task.sleep(for: time)) != nil else { return }
      act()
    }
    state.withLock { $0.alarms.append(alarm) }
  }

  /// What ends the suite early, where something does.
  var cause: SuiteEnd.Cause? { state.withLock { $0.end.cause } }

  /// The comparison; nil where the suite is to end early, which is not kept waiting for a large folder to be read.
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

  /// Removes the temporary files that nobody else does any more: last, as nothing is lost with them.
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
      // The tool writes to the same streams.
      await console.flush()
      let outcome = await run(tool)
      results += outcome.results
      tools += outcome.summaries(of: tool, cause: cause)
    }
    let status = await publish(tools, results)
    // Here, where a signal ends the wait for a terminal that is stopped.
    await console.flush()
    await removeLeftovers()
    return status
  }

  /// What is still to come, the first of it being under way.
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
    // A signal that came while it was being started has found nobody.
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
  /// One of all runs; of two gateways that were measured in turn one each, because together they are neither's figures.
  ///
  /// - Parameter cause: why the suite comes to its end, where it does.
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

/// What a run of the suite publishes: before each tool that it is under way, at the end what came of it.
extension SuiteRun {
  func publish(
    _ tools: [SuiteSummary.Tool], _ results: [(file: String, document: ResultDocument)]
  ) async -> Int32 {
    var comparison = await comparison(of: results)
    // From here on nothing is cut off any more.
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
    // The process ends with a failure then, and no file may say anything else.
    if await console.flush(), let loss = console.lostData {
      note([loss], in: &summary)
      write(&summary, markdown)
    }
    appendToStepSummary(summary, markdown)
    return summary.exitStatus
  }

  /// Writes the three files. Where one of them can't be, the others say so, and have the exit status that comes of it.
  private func write(_ summary: inout SuiteSummary, _ comparison: String?) {
    let problems = files.write(summary, comparison: comparison)
    guard !problems.isEmpty else { return }
    note(problems, in: &summary)
    _ = files.write(summary, comparison: comparison)
  }

  /// Notes what could not be written: a failure, unless the suite is interrupted, which says more.
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

/// What ends the suite early, and what that asks for. Pure.
///
/// The running tool has a process group of its own, so that a signal to the suite's group reaches the suite alone, which hands
/// it on: once, however often `timeout` or a CI runner repeats it within a second.
struct SuiteEnd: Sendable {
  enum Cause: Sendable, Equatable {
    case signal(Int32)
    case deadline
  }

  enum Action: Sendable, Equatable {
    /// The running tool gets this signal; nothing more is started.
    case signalTool(Int32)
    /// Somebody has waited long enough: the files are written at once, and that is all.
    case hurry
  }

  /// The first cause; a signal comes before the deadline: who sent it waits for the status that says so.
  private(set) var cause: Cause?
  private var order = TerminationEscalation()

  /// Takes a signal that came to the suite at `now`.
  mutating func receive(_ signal: Int32, at now: Instant) -> [Action] {
    switch order.receive(signal, at: now) {
    case .endsInOrder:
      // After the deadline the tool is ending in order already: another signal would end it at once.
      defer { cause = .signal(signal) }
      return cause == .deadline ? [] : [.signalTool(signal)]
    case .isRepetition: return []
    case .endsAtOnce: return [.signalTool(signal), .hurry]
    }
  }

  /// The time of `--deadline` is over. A tool takes SIGTERM as the order to write what it has.
  mutating func passDeadline() -> [Action] {
    guard cause == nil else { return [] }
    cause = .deadline
    return [.signalTool(SIGTERM)]
  }

  /// Takes how a tool ended. One that somebody has interrupted alone was one of a run that is to end.
  mutating func toolEnded(_ end: ToolEnd) {
    if cause == nil, let signal = end.interruption { cause = .signal(signal) }
  }
}

extension SuiteEnd.Cause {
  /// What the running tool is sent.
  var signal: Int32 {
    switch self {
    case .signal(let number): number
    case .deadline: SIGTERM
    }
  }

  /// The suite's, whatever the tools made of it.
  var exitStatus: Int32 {
    switch self {
    case .signal(let number): 128 + number
    case .deadline: ToolExit.failed.status
    }
  }

  /// `SIGTERM`, `deadline`.
  var name: String {
    switch self {
    case .signal(let number): SignalName.of(number)
    case .deadline: "deadline"
    }
  }

  var notRunReason: String { self == .deadline ? "interrupted: deadline" : "interrupted" }
}
