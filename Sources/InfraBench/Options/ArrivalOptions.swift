package import ArgumentParser
package import LoadEngine

/// When iterations start, and on how many event loops.
package struct ArrivalOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Open loop: starts are due at this rate, such as 200/s, whatever the target does; latencies run from the due start. \
      The default count ends it unless --duration, --stages or --count is given.
      """,
      valueName: "r"))
  package var rate: String?

  @Option(help: ArgumentHelp("Open loop: constant or poisson. (default: constant)", valueName: "kind"))
  package var arrival: String?

  @Option(
    help: ArgumentHelp(
      "Open loop: virtual users; a start that finds none of them free waits. (default: 100)", valueName: "n"))
  package var maxInFlight: String?

  @Flag(help: "Open loop: drop and count a start that finds no free user.")
  package var dropWhenBusy = false

  @Option(
    help: ArgumentHelp(
      "Linear ramps of the rate, 30s:10/s,2m:50/s, or of users, 30s:10,2m:50; from --rate, or --concurrency, else from 0.",
      valueName: "list"))
  package var stages: String?

  @Option(help: ArgumentHelp("Closed loop: pause of a user between iterations. (default: 0)", valueName: "d"))
  package var thinkTime: String?

  @Flag(help: "Open loop: spin for the last 50 µs before each start.")
  package var precise = false

  @Option(help: ArgumentHelp("Event loops, a thread each. (default: 1)", valueName: "n"))
  package var threads: String?

  @Option(
    help: ArgumentHelp(
      "Percentiles per interval, such as 1s, into the result; at most 240 intervals: then they merge. (default: off)",
      valueName: "d"))
  package var timeline: String?

  package init() {}
}

/// When iterations start, checked.
package struct ArrivalSettings: Sendable, Equatable {
  /// Open loop: the constant rate, or the one that its stages begin with.
  package var rate: ArrivalRate?
  package var stages: LoadStages?
  package var isPoisson = false
  package var dropsWhenBusy = false
  package var isPrecise = false
  /// In ns.
  package var thinkTime: UInt64 = 0
  package var threads = 1
  /// Length of an interval in ns; nil for no timeline.
  package var timeline: UInt64?

  package init() {}

  /// Whether starts are due on a schedule.
  package var isOpenLoop: Bool {
    if case .rates = stages { return true }
    return rate != nil
  }
}

extension OptionReader {
  /// Checks the options of arrivals, then against each other and those of the load, which were checked before.
  mutating func arrivals(_ options: ArrivalOptions, _ load: LoadOptions) -> ArrivalSettings {
    var settings = ArrivalSettings()
    settings.rate = rate(options.rate)
    settings.stages = stages(options.stages)
    settings.isPoisson =
      choice("--arrival", options.arrival, of: ["constant", "poisson"], default: "constant") == "poisson"
    settings.dropsWhenBusy = options.dropWhenBusy
    settings.isPrecise = options.precise
    settings.thinkTime = duration("--think-time", options.thinkTime, default: 0)
    settings.threads = integer("--threads", options.threads, default: 1, in: 1...64)
    settings.timeline = optionalDuration("--timeline", options.timeline, minimum: 100_000_000)
    refuseMixtures(of: settings, options, load)
    return settings
  }

  private mutating func refuseMixtures(of settings: ArrivalSettings, _ options: ArrivalOptions, _ load: LoadOptions) {
    if settings.stages != nil, load.warmup != nil {
      refuse("--warmup", "stages are a warm-up of their own: leave it out, or give --rate without --stages")
    }
    // Whatever was meant by a rate or stages that are wrong: nothing else is wrong because of them.
    let isWrong =
      options.rate != nil && settings.rate == nil || options.stages != nil && settings.stages == nil
    guard !isWrong else { return }
    if settings.isOpenLoop {
      let closedLoopOnly = [("--concurrency", load.concurrency != nil), ("--think-time", options.thinkTime != nil)]
      for (name, isGiven) in closedLoopOnly where isGiven {
        refuse(name, "it is for a closed loop: leave it out, or the rate; --max-in-flight bounds an open loop's users")
      }
    } else {
      let openLoopOnly = [
        ("--arrival", options.arrival != nil), ("--max-in-flight", options.maxInFlight != nil),
        ("--drop-when-busy", options.dropWhenBusy), ("--precise", options.precise),
      ]
      for (name, isGiven) in openLoopOnly where isGiven {
        refuse(name, "it is for an open loop: give --rate, or --stages with rates, or leave it out")
      }
    }
    if settings.rate != nil, case .users = settings.stages {
      refuse("--stages", "these are stages of users, which have no --rate: write rates, such as 30s:10/s")
    }
  }

  /// Notes that `option` makes no sense here, unless its value is wrong anyway.
  mutating func refuse(_ option: String, _ sentence: String) {
    if !problems.names(option) { problems.add(option, sentence) }
  }

  private mutating func rate(_ written: String?) -> ArrivalRate? {
    guard let written else { return nil }
    if let rate = RateText.parse(written), rate.starts > 0 { return rate }
    problems.add("--rate", "'\(written.prefix(40))' is no rate: \(RateText.rule)")
    return nil
  }

  private mutating func stages(_ written: String?) -> LoadStages? {
    guard let written else { return nil }
    do throws(LoadStagesError) {
      return try LoadStages(written)
    } catch {
      problems.add("--stages", error.message)
      return nil
    }
  }
}
