package import ArgumentParser
import Gateway
import Latency
import Transport
import Comparison
import Reports
package import Results

/// Makes the planned runs of a benchmark one after another, each complete in itself, and decides the exit status.
struct RunSequence<B: Benchmark>: Sendable {
  let benchmark: B
  /// The measurement of the second gateway; nil: there is one gateway.
  let second: B?
  let plan: RunPlan
  let output: OutputSettings
  let thresholds: [Threshold]
  let environment: [String: String]

  /// Makes the runs; returns their worst exit status. A signal ends the current run, and no further run is made.
  func perform() async -> Int32 {
    await Interruption.run { interruption in
      let status = await perform(interruption)
      // Here a signal still ends the wait for a terminal that is stopped.
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

  /// Says which run begins: in text mode on standard output, where the lines of its iterations follow.
  private func announce(_ run: RunPlan.Run, _ console: Console) {
    let side = run.side.map { ", \($0.rawValue)" } ?? ""
    let line = "\(B.tool), run \(run.number) of \(plan.runs.count)\(side)"
    switch output.print {
    case .text: console.data("\(run.number == 1 ? "" : "\n")== \(line) ==\n")
    case .json, .md: console.note(line)
    }
  }

  /// JSON output gets no table: it stays a stream of documents.
  private func report(_ table: RunsTable, _ console: Console) async {
    guard output.print != .json else { return }
    let isMarkdown = output.print == .md
    console.data("\n" + (isMarkdown ? table.markdown : table.text))
    guard plan.alternates else { return }
    let comparison = ABComparison(a: table.documents(of: .a), b: table.documents(of: .b))
    console.data("\n" + (await comparison.report(asMarkdown: isMarkdown)))
  }
}

/// Which runs are made, one after another, and the seed of each.
package struct RunPlan: Sendable, Equatable {
  /// Which of two gateways is measured.
  package enum Side: String, Sendable, CaseIterable {
    /// Of `--gateway-url`.
    case a
    /// Of `--ab-gateway-url`.
    case b
  }

  package struct Run: Sendable, Equatable {
    /// From 1 on, in the order of the runs.
    package var number: Int
    /// Nil: there is one target.
    package var side: Side?
    package var seed: UInt64
  }

  /// In the order in which they are made; at least one.
  package let runs: [Run]

  /// Seeds are whole in a JSON number of any reader.
  package static let seeds: Range<UInt64> = 0..<(1 << 53)

  /// A plan of `count` runs; with `alternates`, of `count` runs of each side: a b, b a, a b, … A drift of the machine
  /// that grows evenly then adds as much to side a as to side b in every two pairs. Both runs of a pair have one seed.
  ///
  /// - Parameters:
  ///   - seed: The seed of the first run or pair.
  ///   - draw: Draws the seed of each further one; nil where the seed was given: then each is the one before plus 1.
  package init(count: Int, alternates: Bool, seed: UInt64, draw: (() -> UInt64)?) {
    var runs: [Run] = []
    var seed = seed
    for turn in 0..<max(1, count) {
      if turn > 0 { seed = draw?() ?? (seed + 1) % Self.seeds.upperBound }
      let sides: [Side?] = !alternates ? [nil] : turn.isMultiple(of: 2) ? [.a, .b] : [.b, .a]
      for side in sides { runs.append(Run(number: runs.count + 1, side: side, seed: seed)) }
    }
    self.runs = runs
  }

  /// Whether there is more than one run.
  package var isRepeated: Bool { runs.count > 1 }

  /// Whether two gateways are measured in turn.
  package var alternates: Bool { runs.contains { $0.side != nil } }
}

/// How often the whole measurement is repeated.
package struct RepeatOptions: ParsableArguments {
  @Option(
    name: .customLong("repeat"),
    help: ArgumentHelp(
      """
      So many runs apart, one after another, a result each: what bench-compare needs several of. With --seed they have \
      that seed, the next one, and so on. (default: 1)
      """, valueName: "n"))
  package var count: String?

  package init() {}
}

extension OptionReader {
  /// Checks how many runs are to be made, and plans them.
  ///
  /// - Parameters:
  ///   - seed: The load's seed.
  ///   - isSeedGiven: Whether the user wrote the seed, so that it was not drawn.
  ///   - target: The target, for which `--ab-gateway-url` may name a second gateway.
  mutating func runs(
    _ options: RepeatOptions, seed: UInt64 = 0, isSeedGiven: Bool = false, target: TargetSettings? = nil
  ) -> RunPlan {
    RunPlan(
      count: integer("--repeat", options.count, default: 1, in: 1...1_000), alternates: target?.second != nil,
      seed: seed, draw: isSeedGiven ? nil : { UInt64.random(in: RunPlan.seeds) })
  }
}

/// Decides whether runs are still worth making after some have failed.
package struct RunStop: Sendable {
  /// By side, whether the latest run failed; nil before the first.
  private var hasFailed: [RunPlan.Side?: Bool] = [:]

  package init() {}

  /// Takes a run's end; true if the other runs would fail too: this run failed, and so did the run of its side before
  /// it. For a side's first run that is known only where nothing could be measured at all (not `isMeasured`): the run
  /// gave no document.
  package mutating func isDue(after run: RunPlan.Run, _ exit: ToolExit, isMeasured: Bool) -> Bool {
    let hadFailed = hasFailed.updateValue(exit == .failed, forKey: run.side) ?? !isMeasured
    return exit == .failed && hadFailed
  }
}

/// Lets each run find as many warm tasks of a shared gateway as the first run found. Without the wait, a run would
/// measure a pool that is still refilled after the run before it.
struct PoolsBetweenRuns {
  /// The warm tasks before each side's first run.
  private var warmBeforeFirstRun: [RunPlan.Side?: Int] = [:]
  /// The warm tasks that a run of each side waits for: the first run's number, or fewer where a wait was in vain.
  private var warmToWaitFor: [RunPlan.Side?: Int] = [:]

  /// Longer waits are announced.
  private static let silence: Nanoseconds = .seconds(2)
  /// The longest wait before one run.
  private let bound: Nanoseconds
  /// The time-out of one request for the status.
  private let lookBound: Nanoseconds

  init(bound: Nanoseconds = .seconds(60), lookBound: Nanoseconds = .seconds(5)) {
    self.bound = bound
    self.lookBound = lookBound
  }

  /// Waits before a run of `side` until its pool is as full as before that side's first run. Returns a note if that was
  /// in vain; later runs then wait only for the number that it found.
  mutating func wait(for target: TargetSettings?, _ side: RunPlan.Side?, _ console: Console) async -> String? {
    guard let target else { return nil }
    let bench = RunContext(console: Console(print: .json, isQuiet: true))
    let (count, bound) = (warmToWaitFor[side] ?? 0, bound)
    let seen = try? await GatewaySession.with(target, timeout: lookBound, bench: bench) {
      session async throws(BenchmarkFailure) -> Int? in
      let client = session.client(on: session.loops.executor(forUser: 0))
      defer { client.close() }
      return await Self.wait(for: count, client, bound, console)
    }
    guard let seen = seen ?? nil else { return nil }
    let first = warmBeforeFirstRun[side] ?? seen
    warmBeforeFirstRun[side] = first
    warmToWaitFor[side] = min(warmToWaitFor[side] ?? seen, seen)
    guard seen < first, !Task.isCancelled else { return nil }
    return "before this run the gateway's pool had \(seen) warm tasks, before the first run \(first)"
  }

  /// Polls until `count` tasks are warm; returns the latest number, or nil when the gateway doesn't tell it.
  private static func wait(for count: Int, _ client: GatewayClient, _ bound: Nanoseconds, _ console: Console) async
    -> Int?
  {
    let begin = MonotonicClock.now()
    var isSaid = false
    var seen: Int?
    await PoolStatusReader(client).poll(for: bound, every: .milliseconds(10)) { look in
      guard let look else { return true }
      seen = look.status.warmCount
      if look.status.warmCount >= count { return true }
      if !isSaid, look.readAt.elapsed(since: begin) > silence {
        isSaid = true
        console.note("waiting until the gateway has \(count) warm tasks again")
      }
      return false
    }
    return seen
  }
}
