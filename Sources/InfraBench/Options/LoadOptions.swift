package import ArgumentParser
import Gateway
import LoadEngine

/// How much work is done, and by whom.
package struct LoadOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Iterations; of --count and --duration the first reached ends the run.", valueName: "n"))
  package var count: String?

  @Option(help: ArgumentHelp("How long, such as 30s; lifts the default count.", valueName: "d"))
  package var duration: String?

  @Option(help: ArgumentHelp("Closed loop: virtual users. (default: 1; bench-concurrent: 5)", valueName: "n"))
  package var concurrency: String?

  @Option(
    help: ArgumentHelp(
      "Iterations, or a time, before the measurement; in no metric or counter. (default: 0)", valueName: "n|d"))
  package var warmup: String?

  @Option(help: ArgumentHelp("Bound of one operation, counted as error 'timeout'. (default: 30s)", valueName: "d"))
  package var timeout: String?

  @Option(
    name: .customLong("user-id"),
    help: ArgumentHelp(
      "The user, or what the users' ids begin with. (default: test-user-xxxx, of host and user)", valueName: "prefix"))
  package var userID: String?

  @Option(
    help: ArgumentHelp("Makes random choices reproducible; recorded in the result. (default: random)", valueName: "n"))
  package var seed: String?

  package init() {}
}

extension OptionReader {
  /// The longest prefix that leaves room for the number behind it.
  private static let longestPrefix = UserID.maximumLength - 8

  /// Checks the load options against a tool's own defaults.
  package mutating func load(
    _ options: LoadOptions, _ arrivals: ArrivalOptions, defaultCount: Int,
    defaultConcurrency: Int = 1
  ) -> LoadSettings {
    let duration = optionalDuration("--duration", options.duration, minimum: 1_000_000)
    let count = optionalInteger("--count", options.count, in: 1...1_000_000_000)
    let liftsCount = options.duration != nil || arrivals.stages != nil
    let users = 1...20_000
    let concurrency = optionalInteger("--concurrency", options.concurrency, in: users)
    let inFlight = integer("--max-in-flight", arrivals.maxInFlight, default: 100, in: users)
    // Stages of users begin with none unless the number is given.
    let first = concurrency ?? (arrivals.stages == nil ? defaultConcurrency : 0)
    var settings = LoadSettings(
      count: count ?? (liftsCount ? nil : defaultCount), duration: duration, concurrency: first,
      warmup: warmup(options.warmup),
      timeout: self.duration("--timeout", options.timeout, default: 30_000_000_000, minimum: 1_000_000),
      userIDPrefix: userIDPrefix(options.userID), seed: seed(options.seed))
    // After all others: what is wrong by itself is not to be held against them.
    settings.arrivals = self.arrivals(arrivals, options)
    if settings.isOpenLoop { settings.concurrency = inFlight }
    return settings
  }

  /// What users' ids begin with.
  mutating func userIDPrefix(_ written: String?) -> String {
    let prefix = written ?? DefaultUserID.prefix
    if !UserID.isValid(prefix) || prefix.utf8.count > Self.longestPrefix {
      problems.add(
        "--user-id",
        "'\(prefix.prefix(40))' is no user id: write \(UserID.rule), and at most \(Self.longestPrefix) here")
    }
    return prefix
  }

  /// Iterations or a time before the measurement.
  mutating func warmup(_ written: String?) -> LoadPlan.Warmup {
    guard let written else { return .iterations(0) }
    if let number = Self.parseInteger(written), number <= 1_000_000_000 { return .iterations(number) }
    if let nanoseconds = DurationText.parse(written) { return .duration(nanoseconds) }
    problems.add("--warmup", "'\(written)' is wrong: write a whole number of iterations, or a duration such as 5s")
    return .iterations(0)
  }

  /// The written seed, or a random one.
  mutating func seed(_ written: String?) -> UInt64 {
    // Whole in a JSON number of any reader.
    guard let written else { return UInt64.random(in: 0..<(1 << 53)) }
    if let number = Self.parseInteger(written), number < 1 << 53 { return UInt64(number) }
    problems.add("--seed", "'\(written)' is wrong: write a whole number from 0 to \((1 << 53) - 1)")
    return 0
  }
}
