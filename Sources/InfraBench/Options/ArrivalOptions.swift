package import ArgumentParser
package import LoadEngine
package import Latency
import TextFormatting

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

  @Option(
    help: ArgumentHelp("Open loop: constant or poisson. (default: constant)", valueName: "kind"),
    completion: .list(["constant", "poisson"]))
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
  /// Open loop: the constant arrival rate, or the rate that the stages begin with.
  package var rate: ArrivalRate?
  package var stages: LoadStages?
  package var isPoisson = false
  package var dropsWhenBusy = false
  package var isPrecise = false
  package var thinkTime: Nanoseconds = .zero
  package var threads = 1
  /// The length of an interval; nil: no timeline.
  package var timeline: Nanoseconds?

  package init() {}

  /// Whether arrivals are due on a schedule.
  package var isOpenLoop: Bool {
    if case .rates = stages { return true }
    return rate != nil
  }
}

extension OptionReader {
  /// Checks the options of arrivals, then against each other and against those of the load, which were checked before.
  mutating func arrivals(_ options: ArrivalOptions, _ load: LoadOptions) -> ArrivalSettings {
    var settings = ArrivalSettings()
    settings.rate = rate(options.rate)
    settings.stages = stages(options.stages)
    settings.isPoisson =
      choice("--arrival", options.arrival, of: ["constant", "poisson"], default: "constant") == "poisson"
    settings.dropsWhenBusy = options.dropWhenBusy
    settings.isPrecise = options.precise
    settings.thinkTime = duration("--think-time", options.thinkTime, default: .zero)
    settings.threads = integer("--threads", options.threads, default: 1, in: 1...64)
    settings.timeline = optionalDuration("--timeline", options.timeline, minimum: .milliseconds(100))
    refuseMixtures(of: settings, options, load)
    return settings
  }

  private mutating func refuseMixtures(of settings: ArrivalSettings, _ options: ArrivalOptions, _ load: LoadOptions) {
    if settings.stages != nil, load.warmup != nil {
      refuse("--warmup", "stages are a warm-up of their own: leave it out, or give --rate without --stages")
    }
    // A wrong rate or wrong stages do not tell which loop was meant, so no other option is refused because of them.
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

  /// Notes that `option` has no use here, unless its value was refused before.
  mutating func refuse(_ option: String, _ sentence: String) {
    if !problems.names(option) { problems.add(option, sentence) }
  }

  mutating func rate(_ written: String?) -> ArrivalRate? {
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

/// Why a text holds no stages: which part is wrong, and what to write instead.
package struct LoadStagesError: Error, Sendable, Equatable {
  package var message: String
}

/// `--stages`: linear ramps of the arrival rate, or of the number of users.
package enum LoadStages: Sendable, Equatable {
  /// Open loop: arrival rates.
  case rates([RateStage])
  /// Closed loop: numbers of virtual users.
  case users([UserStage])

  private static let longest: Nanoseconds = .seconds(24 * 3600)
  private static let mostStages = 1000
  private static let mostUsers = 20_000

  /// Parses `<duration>:<rate or users>`, separated by commas.
  ///
  /// - Throws: For any other form, rates beside users, more than 1000 stages, more than 20,000 users, a length of zero
  ///   or of more than 24 h in all, and stages that all end at 0. The message says what to write instead.
  package init(_ text: String) throws(LoadStagesError) {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard parts.count <= Self.mostStages else {
      throw LoadStagesError(message: "these are \(parts.count) stages: write at most \(Self.mostStages)")
    }
    var rates: [RateStage] = []
    var users: [UserStage] = []
    for part in parts {
      let (duration, target) = try Self.stage(part)
      switch target {
      case .rate(let rate): rates.append(RateStage(duration: duration, target: rate))
      case .users(let number): users.append(UserStage(duration: duration, target: number))
      }
      guard users.isEmpty || rates.isEmpty else {
        throw LoadStagesError(
          message: "'\(part.prefix(40))' is a stage of \(target.kind), those before it are not: "
            + "write rates throughout, such as 30s:10/s, or users, such as 30s:10")
      }
    }
    try Self.checkLength(rates.map(\.duration) + users.map(\.duration))
    guard users.contains(where: { $0.target > 0 }) || rates.contains(where: { $0.target.starts > 0 }) else {
      throw LoadStagesError(message: "all stages end at 0, where nothing starts: write more in one of them")
    }
    self = users.isEmpty ? .rates(rates) : .users(users)
  }

  private enum Target {
    case rate(ArrivalRate)
    case users(Int)

    var kind: String {
      switch self {
      case .rate: "rates"
      case .users: "users"
      }
    }
  }

  private static func stage(_ text: String) throws(LoadStagesError) -> (Nanoseconds, Target) {
    let shown = text.prefix(40)
    let sides = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard sides.count == 2 else {
      throw LoadStagesError(
        message: "'\(shown)' is no stage: write a duration, a colon, and a rate or a number of users, such as 30s:10/s "
          + "or 30s:10")
    }
    guard let duration = DurationText.parse(sides[0]) else {
      throw LoadStagesError(
        message: "'\(shown)': '\(sides[0].prefix(40))' is no duration: \(DurationText.rule)")
    }
    return (duration, try target(sides[1], of: shown))
  }

  private static func target(_ text: String, of stage: Substring) throws(LoadStagesError) -> Target {
    if text.contains("/") {
      if let rate = RateText.parse(text) { return .rate(rate) }
      throw LoadStagesError(message: "'\(stage)': '\(text.prefix(40))' is no rate: \(RateText.form)")
    }
    if let number = PlainText.wholeNumber(text), number <= mostUsers { return .users(number) }
    throw LoadStagesError(
      message: "'\(stage)': '\(text.prefix(40))' is no number of users: write a whole number of at most \(mostUsers), "
        + "or a rate, such as 10/s")
  }

  private static func checkLength(_ durations: [Nanoseconds]) throws(LoadStagesError) {
    // A sum of lengths does not overflow: it stops at the largest length, which is refused too.
    let length = durations.reduce(.zero, +)
    if length == .zero { throw LoadStagesError(message: "all stages are of no length: give one of them a duration") }
    if length > longest { throw LoadStagesError(message: "the stages are longer than 24h in all: write shorter ones") }
  }

  /// The stages as they are written on a command line.
  package var text: String {
    switch self {
    case .rates(let stages):
      stages.map { "\(DurationText.write($0.duration)):\(RateText.write($0.target))" }.joined(separator: ",")
    case .users(let stages):
      stages.map { "\(DurationText.write($0.duration)):\($0.target)" }.joined(separator: ",")
    }
  }
}
