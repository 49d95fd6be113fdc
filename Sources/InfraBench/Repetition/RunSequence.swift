/// Makes the planned runs of a benchmark one after another, each whole by itself, and says how the process ends.
struct RunSequence<B: Benchmark>: Sendable {
  let benchmark: B
  /// The same measurement of the second gateway, where there are two.
  let second: B?
  let plan: RunPlan
  let output: OutputSettings
  let thresholds: [Threshold]
  let environment: [String: String]

  /// The worst exit status of the runs. A signal ends the run under way, and there is no further one.
  func perform() async -> Int32 {
    await Interruption.run { interruption in
      let status = await perform(interruption)
      // Here, where a signal ends the wait for a terminal that is stopped.
      let isSaid = await Console(print: output.print, isQuiet: output.isQuiet).flush()
      guard !isSaid, let signal = interruption.signal else { return status }
      return SuiteSummary.worst([status, ToolExit.interrupted(signal: signal).status])
    }
  }

  private func perform(_ interruption: Interruption) async -> Int32 {
    let console = Console(print: output.print, isQuiet: output.isQuiet)
    var ends: [ToolExit] = []
    var table = RunsTable()
    var stop = RunStop()
    var pools = PoolsBetweenRuns()
    for run in plan.runs {
      var note: String?
      if plan.isRepeated {
        note = await pools.wait(for: benchmark(of: run).sharedPool, run.side, console)
        if run.number > 1, let signal = interruption.signal {
          ends.append(.interrupted(signal: signal))
          break
        }
        announce(run, console)
      }
      let (exit, document) = await perform(run, note, interruption)
      ends.append(exit)
      table.add(run, exit, document)
      let left = plan.runs.count - run.number
      if stop.isDue(after: run, exit, isMeasured: document != nil), left > 0 {
        console.error("\(left == 1 ? "the run" : "the \(left) runs") left would fail as this one did: none is made")
        break
      }
    }
    if plan.isRepeated { await report(table, console) }
    return SuiteSummary.worst(ends.map(\.status))
  }

  private func benchmark(of run: RunPlan.Run) -> B { run.side == .b ? second ?? benchmark : benchmark }

  private func perform(
    _ run: RunPlan.Run, _ note: String?, _ interruption: Interruption
  ) async -> (ToolExit, ResultDocument?) {
    var output = output
    if let side = run.side { output.label = [output.label, side.rawValue].compactMap { $0 }.joined(separator: "-") }
    var runner = BenchmarkRunner(output: output, thresholds: thresholds, environment: environment)
    if plan.isRepeated {
      runner.repetition = .init(run: run.number, of: plan.runs.count, side: run.side?.rawValue)
    }
    runner.notes = note.map { [$0] } ?? []
    return await runner.run(benchmark(of: run).seeded(run.seed), interruption)
  }

  /// In text mode on standard output: the lines of iterations that follow are this run's.
  private func announce(_ run: RunPlan.Run, _ console: Console) {
    let side = run.side.map { ", \($0.rawValue)" } ?? ""
    let line = "\(B.tool), run \(run.number) of \(plan.runs.count)\(side)"
    switch output.print {
    case .text: console.data("\(run.number == 1 ? "" : "\n")== \(line) ==\n")
    case .json, .md: console.note(line)
    }
  }

  /// JSON stays a stream of documents.
  private func report(_ table: RunsTable, _ console: Console) async {
    guard output.print != .json else { return }
    let isMarkdown = output.print == .md
    console.data("\n" + (isMarkdown ? table.markdown : table.text))
    guard plan.alternates else { return }
    let comparison = SideComparison(a: table.documents(of: .a), b: table.documents(of: .b))
    console.data("\n" + (await comparison.report(asMarkdown: isMarkdown)))
  }
}
