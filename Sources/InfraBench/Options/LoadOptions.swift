package import ArgumentParser
import GatewayProtocol
package import LoadEngine

/// How much work is done, and by whom.
package struct LoadOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Iterations; of --count and --duration the first reached ends the run.", valueName: "n"))
  package var count: String?

  @Option(help: ArgumentHelp("How long, such as 30s; lifts the default count.", valueName: "d"))
  package var duration: String?

  @Option(help: ArgumentHelp("Closed loop: virtual users.", valueName: "n"))
  package var concurrency: String?

  @Option(
    help: ArgumentHelp(
      "Iterations, or a time, before the measurement; in no metric or counter. (default: 0)", valueName: "n|d"))
  package var warmup: String?

  @Option(help: ArgumentHelp("Bound of one operation, counted as error 'timeout'. (default: 30s)", valueName: "d"))
  package var timeout: String?

  @Option(
    name: .customLong("user-id"),
    help: ArgumentHelp("The user, or what the users' ids begin with. (default: test-user)", valueName: "prefix"))
  package var userID: String?

  @Option(
    help: ArgumentHelp("Makes random choices reproducible; recorded in the result. (default: random)", valueName: "n"))
  package var seed: String?

  package init() {}
}

/// How much work is done, checked.
package struct LoadSettings: Sendable {
  package var count: Int?
  /// In ns.
  package var duration: UInt64?
  package var concurrency: Int
  package var warmup: LoadPlan.Warmup
  /// In ns.
  package var timeout: UInt64
  package var userIDPrefix: String
  package var seed: UInt64

  /// The plan of a closed loop.
  package var closedLoop: LoadPlan {
    .closedLoop(users: concurrency, count: count, duration: duration, warmup: warmup)
  }

  /// The id of user `number` of `total`: the prefix alone for a single user, else with four digits or more.
  package func userID(_ number: Int, of total: Int) -> String {
    Self.userID(userIDPrefix, number, of: total)
  }

  /// The id of user `number` of `total` whose ids begin with `prefix`.
  static func userID(_ prefix: String, _ number: Int, of total: Int) -> String {
    guard total > 1 else { return prefix }
    let digits = String(number)
    return "\(prefix)-\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)"
  }
}

extension OptionReader {
  /// The longest prefix that leaves room for the number behind it.
  private static let longestPrefix = UserID.maximumLength - 8

  /// Checks the load options against a tool's own defaults.
  package mutating func load(
    _ options: LoadOptions, defaultCount: Int, defaultConcurrency: Int = 1
  ) -> LoadSettings {
    let duration = optionalDuration("--duration", options.duration, minimum: 1_000_000)
    let count = optionalInteger("--count", options.count, in: 1...1_000_000_000)
    return LoadSettings(
      count: count ?? (options.duration == nil ? defaultCount : nil), duration: duration,
      concurrency: integer("--concurrency", options.concurrency, default: defaultConcurrency, in: 1...20_000),
      warmup: warmup(options.warmup),
      timeout: self.duration("--timeout", options.timeout, default: 30_000_000_000, minimum: 1_000_000),
      userIDPrefix: userIDPrefix(options.userID), seed: seed(options.seed))
  }

  /// What users' ids begin with.
  mutating func userIDPrefix(_ written: String?) -> String {
    let prefix = written ?? "test-user"
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
