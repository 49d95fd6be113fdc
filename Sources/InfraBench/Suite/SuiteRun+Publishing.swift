import ProcessControl

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
    if summary.unwritten == nil { console.note("wrote \(OptionReader.list(files.paths, "and"))") }
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
