import FoundationEssentials
import Glibc
import Latency
import ProcessControl
import Reports
import Results
import TextFormatting

/// bench-fleet's work: it starts the shards, tells them the begin, and merges their results.
struct FleetRun: Sendable {
  private let settings: FleetSettings
  private let environment: [String: String]
  private let console: Console
  private let makeLauncher: @Sendable (FleetSettings, FleetRunFolder) -> any ShardLauncher

  /// How often the folder and the launcher are asked.
  private static let pollInterval: Nanoseconds = .milliseconds(100)
  /// How long shards have to end after a signal: their own bound, and the time to see the file that says so.
  private static let stopBound: Nanoseconds = .seconds(20)

  /// - Parameter launcher: what starts the shards; nil: what the settings say.
  init(
    _ settings: FleetSettings, environment: [String: String], console: Console,
    launcher: (@Sendable (FleetSettings, FleetRunFolder) -> any ShardLauncher)? = nil
  ) {
    self.settings = settings
    self.environment = environment
    self.console = console
    makeLauncher =
      launcher
      ?? { settings, folder in
        switch settings.place {
        case .local: LocalLauncher(settings, folder, environment: environment)
        case .ssh: SSHLauncher(settings, folder)
        case .slurm: SlurmLauncher(settings, folder)
        }
      }
  }

  /// Runs the fleet; returns the process's exit status.
  func perform() async -> Int32 {
    signal(SIGPIPE, SIG_IGN)
    return await Interruption.run { interruption in
      do throws(FleetFailure) {
        return try await perform(interruption)
      } catch {
        for sentence in error.sentences { console.error(sentence) }
        return interruption.signal.map { ToolExit.interrupted(signal: $0).status } ?? ToolExit.failed.status
      }
    }
  }

  private func perform(_ interruption: Interruption) async throws(FleetFailure) -> Int32 {
    let folder = try makeFolder()
    console.note("the shards' results and messages go to \(folder.path)")
    let launcher = makeLauncher(settings, folder)
    var watch = FleetWatch(shards: settings.shards)
    var failures: [String] = []
    do throws(FleetFailure) {
      try await launcher.launch()
      try await waitUntilReady(folder, launcher, &watch)
      let begin = Self.begin(after: settings.lead)
      do throws(ResultWriteError) {
        try folder.shared.write(Timestamp(ofWholeMilliseconds: begin).iso8601 + "\n", to: "begin/\(FleetFolder.start)")
      } catch {
        throw FleetFailure("the begin could not be told: \(error)")
      }
      console.note(
        "all \(settings.shards) shards are ready: they begin at \(Timestamp(ofWholeMilliseconds: begin).iso8601)")
      try await waitUntilEnded(folder, launcher, &watch)
    } catch {
      failures = error.sentences
    }
    console.endLive()
    if !watch.areAllEnded { await stop(folder, launcher, &watch, interruption.signal ?? SIGINT) }
    failures += watch.failures(folder, isInterrupted: interruption.signal != nil)
    guard failures.isEmpty else {
      throw FleetFailure(
        all: failures + [
          "the whole run has failed; what the other shards measured is shown by: "
            + "bench-report --merge-shards --allow-missing \(folder.path)/shards/*/*/*.json"
        ])
    }
    return try merge(folder, interruption.signal)
  }

  // MARK: - The folder

  private func makeFolder() throws(FleetFailure) -> FleetRunFolder {
    let stamp = Timestamp(Date())
    do {
      try ResultWriter.makeDirectories(settings.directory)
      // Two fleets may share a folder, and begin in one second.
      for attempt in 1...1000 {
        let suffix = attempt == 1 ? "" : "-\(attempt)"
        let path = "\(settings.directory)/\(stamp.day)-\(stamp.compactTime)Z-\(settings.tool)\(suffix)"
        guard mkdir(path, 0o755) == 0 else {
          if errno == EEXIST { continue }
          throw FleetFailure("cannot make the folder '\(path)': \(String(cString: strerror(errno)))")
        }
        let folder = FleetRunFolder(path: path)
        try folder.shared.prepare()
        try ResultWriter.makeDirectories("\(path)/shards")
        let plan = FleetPlanRecord(
          on: settings.place.rawValue, shards: settings.shards, tool: settings.tool, version: SuiteVersion.version,
          startedAt: stamp.iso8601)
        try folder.shared.write(plan, to: "fleet.json")
        return folder
      }
    } catch let error as ResultWriteError {
      throw FleetFailure(error.description)
    } catch {
      throw error as? FleetFailure ?? FleetFailure("\(error)")
    }
    throw FleetFailure("'\(settings.directory)' has a thousand runs of this second")
  }

  /// What the folder says of itself. The options are in the shards' results.
  private struct FleetPlanRecord: Codable {
    var schema = "infrabench.fleet/1"
    var on: String
    var shards: Int
    var tool: String
    var version: String
    var startedAt: String
  }

  // MARK: - The begin

  /// `lead` from now, at a whole ms: that is how exactly documents write it.
  private static func begin(after lead: Nanoseconds) -> Date {
    Date(timeIntervalSince1970: ((Date().timeIntervalSince1970 + lead.seconds) * 1000).rounded(.up) / 1000)
  }

  private func waitUntilReady(
    _ folder: FleetRunFolder, _ launcher: any ShardLauncher, _ watch: inout FleetWatch
  ) async throws(FleetFailure) {
    let deadline = MonotonicClock.now() + settings.readyBound
    var ready = -1
    while true {
      await watch.look(at: launcher)
      let names = folder.shared.names(in: "ready")
      let here = (0..<settings.shards).filter { names.contains("\($0)") }
      if here.count == settings.shards { break }
      guard watch.ended.isEmpty, !Task.isCancelled else { throw FleetFailure(all: []) }
      guard MonotonicClock.now() < deadline else {
        let missing = (0..<settings.shards).filter { !names.contains("\($0)") }
        let list = missing.prefix(20).map(String.init).joined(separator: ", ")
        throw FleetFailure(
          "\(missing.count) of \(settings.shards) shards were not ready within \(DurationText.write(settings.readyBound)): "
            + "\(list)\(missing.count > 20 ? ", …" : ""); give them more time with --ready-within")
      }
      if here.count != ready { console.showLive("\(here.count) of \(settings.shards) shards are ready") }
      ready = here.count
      try? await Task.sleep(for: Self.pollInterval)
    }
    try checkReadiness(folder)
  }

  /// Refuses shards of another version, and clocks that are off by more than the bound.
  private func checkReadiness(_ folder: FleetRunFolder) throws(FleetFailure) {
    let own = ClockProbe.folder("\(folder.path)/ready")
    var problems: [String] = []
    for shard in 0..<settings.shards {
      guard let ready = folder.shared.record(ShardReadiness.self, in: "ready/\(shard)") else {
        problems.append("shard \(shard) says nothing that can be read of its readiness")
        continue
      }
      let name = "shard \(shard) (\(PlainText.line(ready.hostname)))"
      if ready.index != shard || ready.of != settings.shards {
        problems.append("\(name) takes itself for shard \(ready.index) of \(ready.of)")
      }
      if ready.version != SuiteVersion.version {
        problems.append(
          "\(name) is of version \(PlainText.line(ready.version)), this of \(SuiteVersion.version): install one version"
        )
      }
      if let sentence = ClockComparison(ready.clock, own, bound: settings.clockBound).problem {
        problems.append("\(name): \(sentence)")
      }
    }
    if !problems.isEmpty { throw FleetFailure(all: problems) }
  }

  // MARK: - The run

  private func waitUntilEnded(
    _ folder: FleetRunFolder, _ launcher: any ShardLauncher, _ watch: inout FleetWatch
  ) async throws(FleetFailure) {
    var live = FleetLine(shards: settings.shards)
    while !watch.areAllEnded {
      guard !Task.isCancelled else { return }
      await watch.look(at: launcher)
      // Without one shard the others make no load that counts.
      if watch.hasFailure { return }
      if let line = live.text({ folder.shared.record(ShardProgress.self, in: "progress/\($0)") }, console) {
        if console.hasLiveLine { console.showLive(line) } else { console.note(line) }
      }
      try? await Task.sleep(for: Self.pollInterval)
    }
  }

  /// Ends all shards, which write their results, and waits for them.
  private func stop(
    _ folder: FleetRunFolder, _ launcher: any ShardLauncher, _ watch: inout FleetWatch, _ signal: Int32
  ) async {
    console.note("ending the shards")
    try? folder.shared.write("\(signal)\n", to: "begin/\(FleetFolder.stop)")
    launcher.signal(signal)
    let deadline = MonotonicClock.now() + Self.stopBound
    while !watch.areAllEnded {
      await watch.look(at: launcher)
      // The caller's task may be cancelled, and a cancelled task does not sleep.
      await Task { try? await Task.sleep(for: Self.pollInterval) }.value
      guard MonotonicClock.now() >= deadline else { continue }
      await launcher.kill()
      watch.giveUp("it did not end within \(DurationText.write(Self.stopBound)) of being told to")
    }
  }

  // MARK: - The result

  private func merge(_ folder: FleetRunFolder, _ signal: Int32?) throws(FleetFailure) -> Int32 {
    var paths: [String] = []
    var lacking: [String] = []
    for shard in 0..<settings.shards {
      let found = ResultFileSearch([folder.results(of: shard)]).files.map(\.path)
      if let path = found.first { paths.append(path) } else { lacking.append("shard \(shard) has written no result") }
    }
    // An interrupted shard that had not begun has none: the others' are shown.
    guard lacking.isEmpty || signal != nil && !paths.isEmpty else { throw FleetFailure(all: lacking) }
    let document: ResultDocument
    do throws(ResultMergeError) {
      document = try ShardMerge.merge(paths, allowsMissing: signal != nil, reader: .suite)
    } catch {
      throw FleetFailure(all: error.sentences)
    }
    try write(document)
    for name in ["ready", "begin", "progress", "bursts"] {
      try? FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
    }
    if let signal { return ToolExit.interrupted(signal: signal).status }
    switch document.verdict {
    case .pass: return ToolExit.pass.status
    case .fail: return document.fleet?.failure == nil ? ToolExit.thresholdCrossed.status : ToolExit.failed.status
    case .error, .interrupted: return ToolExit.failed.status
    }
  }

  private func write(_ document: ResultDocument) throws(FleetFailure) {
    let startedAt = document.startedAt
    do {
      let forms = try RunResultFiles.Forms(document)
      let date = try Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(startedAt)
      for path in try RunResultFiles(settings.output).write(forms, startedAt: date, isFinal: true) {
        console.note("wrote \(path)")
      }
      switch settings.output.print {
      case .text: console.data(TextReport(document, usesColor: settings.output.usesColor).text)
      case .json: console.data(forms.json)
      case .md: console.data(forms.markdown)
      }
    } catch {
      throw FleetFailure("the result could not be written: \(error)")
    }
    if let failure = document.fleet?.failure { console.error(failure) }
  }
}

/// Compares a shard's clock with the coordinator's, by the folder's clock that both were compared with.
struct ClockComparison {
  /// Why the clock can't be used; nil where it can, or nothing is known.
  let problem: String?

  init(_ clock: ResultDocument.ClockError?, _ own: ResultDocument.ClockError?, bound: Nanoseconds) {
    guard let clock, let own else {
      problem = nil
      return
    }
    let offset = clock.offsetMs - own.offsetMs
    // Only what is certain is a failure.
    let certain = abs(offset) - clock.errorMs - own.errorMs
    let amount = NumberText.time(milliseconds: abs(offset))
    problem =
      certain > bound.milliseconds
      ? "its clock is \(amount) \(offset > 0 ? "ahead of" : "behind") the coordinator's, more than "
        + "\(DurationText.write(bound)): synchronise both, for example by chrony" : nil
  }
}
