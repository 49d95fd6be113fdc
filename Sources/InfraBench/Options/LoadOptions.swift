package import ArgumentParser
import Gateway
import Glibc
package import LoadEngine
package import Latency
package import Results
import TextFormatting

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
    let duration = optionalDuration("--duration", options.duration, minimum: .milliseconds(1))
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
      timeout: self.duration("--timeout", options.timeout, default: .seconds(30), minimum: .milliseconds(1)),
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
    if let number = PlainText.wholeNumber(written), number <= 1_000_000_000 { return .iterations(number) }
    if let length = DurationText.parse(written) { return .duration(length) }
    problems.add("--warmup", "'\(written)' is wrong: write a whole number of iterations, or a duration such as 5s")
    return .iterations(0)
  }

  /// The written seed, or a random one.
  mutating func seed(_ written: String?) -> UInt64 {
    // Whole in a JSON number of any reader.
    guard let written else { return UInt64.random(in: 0..<(1 << 53)) }
    if let number = PlainText.wholeNumber(written), number < 1 << 53 { return UInt64(number) }
    problems.add("--seed", "'\(written)' is wrong: write a whole number from 0 to \((1 << 53) - 1)")
    return 0
  }
}

/// How much work is done, checked.
package struct LoadSettings: Sendable {
  package var count: Int?
  package var duration: Nanoseconds?
  /// Virtual users: those of a closed loop, with stages those at its begin, or the most in flight of an open one.
  package var concurrency: Int
  package var warmup: LoadPlan.Warmup
  package var timeout: Nanoseconds
  package var userIDPrefix: String
  package var seed: UInt64
  package var arrivals = ArrivalSettings()

  /// Whether starts are due on a schedule.
  package var isOpenLoop: Bool { arrivals.isOpenLoop }

  /// The most virtual users at one time.
  package var users: Int { ramp?.maximum ?? concurrency }

  /// The most starts in flight at one time; nil in a closed loop.
  package var maxInFlight: Int? { isOpenLoop ? users : nil }

  /// The time-outs of a run, by parameter.
  func timeouts(beside runTask: RunTaskSettings?) -> [String: Nanoseconds] {
    ["timeout": timeout].merging(runTask.map { ["startTimeout": $0.startTimeout] } ?? [:]) { $1 }
  }

  /// What the engine is to do.
  package var plan: LoadPlan {
    var plan: LoadPlan
    if let schedule {
      plan = .openLoop(
        schedule, users: users, count: count, duration: duration, warmup: warmup,
        dropsWhenBusy: arrivals.dropsWhenBusy, isPrecise: arrivals.isPrecise)
    } else {
      plan = .closedLoop(
        users: users, count: count, duration: duration, warmup: warmup,
        thinkTime: arrivals.thinkTime, ramp: ramp)
    }
    plan.drainBound = timeout
    return plan
  }

  /// When nothing more is begun, from the begin of the measured part: by the duration, or the stages' end.
  package var length: Nanoseconds? { [duration, ramp?.length, schedule?.length].compactMap(\.self).min() }

  private var schedule: ArrivalSchedule? {
    let arrival: ArrivalSchedule.Arrival = arrivals.isPoisson ? .poisson(seed: seed) : .constant
    if case .rates(let stages) = arrivals.stages {
      return ArrivalSchedule(
        stages: stages, from: arrivals.rate ?? ArrivalRate(starts: 0, period: .seconds(1)), arrival: arrival)
    }
    return arrivals.rate.map { ArrivalSchedule(rate: $0, arrival: arrival) }
  }

  /// Users come and go by stages.
  private var ramp: UserRamp? {
    guard case .users(let stages) = arrivals.stages else { return nil }
    return UserRamp(stages: stages, from: concurrency)
  }

  /// The id of user `number` of `total`: the prefix alone for a single user, else with four digits or more.
  package func userID(_ number: Int, of total: Int) -> String {
    Self.userID(userIDPrefix, number, of: total)
  }

  /// The id of user `number` of as many as the plan has.
  package func userID(_ number: Int) -> String {
    userID(number, of: users)
  }

  /// The id of user `number` of `total` whose ids begin with `prefix`.
  static func userID(_ prefix: String, _ number: Int, of total: Int) -> String {
    guard total > 1 else { return prefix }
    let digits = String(number)
    return "\(prefix)-\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)"
  }
}

/// What users' ids begin with unless it is given: `test-user-xxxx`, where the last four characters are made of the names of
/// the host and of who runs the tool. So colleagues' runs at one gateway don't meet, and no run litters a real file system
/// with new directories.
enum DefaultUserID {
  /// Of this host and user; the same in every run.
  static let prefix = prefix(host: hostName, user: userName)

  static func prefix(host: String, user: String) -> String {
    // FNV-1a with 64 bits; the hashes of Swift's library differ from run to run.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in "\(host)\u{0}\(user)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    // The upper bits depend on all bytes.
    var rest = hash >> 32
    let digits = Array("0123456789abcdefghijklmnopqrstuvwxyz")
    var suffix = ""
    for _ in 0..<4 {
      suffix.append(digits[Int(rest % UInt64(digits.count))])
      rest /= UInt64(digits.count)
    }
    return "test-user-\(suffix)"
  }

  private static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "" }
    return name.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
  }

  /// The number where there is no name.
  private static var userName: String {
    var entry = passwd()
    var result: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 4096)
    guard getpwuid_r(getuid(), &entry, &buffer, buffer.count, &result) == 0, result != nil, let name = entry.pw_name
    else { return "\(getuid())" }
    return String(cString: name)
  }
}

/// The timeline of a report that draws one, where the user asked for none.
enum DefaultTimeline {
  private static let intervals: UInt64 = 100
  private static let shortest: Nanoseconds = .milliseconds(20)
  private static let unknown: Nanoseconds = .milliseconds(50)
  private static let longest: Nanoseconds = .seconds(1)

  /// The length of an interval, for a run of `length` where that is known before: a hundred intervals, each as
  /// long as cutting it is worth. A run that turns out to be long has them merged.
  static func interval(forLength length: Nanoseconds?) -> Nanoseconds {
    guard let length else { return unknown }
    return min(max(length / intervals, shortest), longest)
  }
}

extension LoadSettings {
  /// Gives the run a timeline if a report of it draws one and it has none.
  mutating func addTimeline(for output: OutputSettings) {
    guard arrivals.timeline == nil, output.formats.contains(where: \.drawsTimeline) else { return }
    arrivals.timeline = DefaultTimeline.interval(forLength: length)
  }
}

extension LoadSettings {
  /// What shapes the load, for the result.
  package var parameters: [String: JSONValue] {
    let own: [String: JSONValue] = [
      "count": count.map { .int(Int64($0)) } ?? .null,
      "duration": duration.map { .string(DurationText.write($0)) } ?? .null,
      isOpenLoop ? "maxInFlight" : "concurrency": .int(Int64(users)),
      "warmup": warmupValue,
      "timeout": .string(DurationText.write(timeout)),
      "userId": .string(userIDPrefix),
      "seed": .int(Int64(seed)),
    ]
    return own.merging(arrivals.parameters) { $1 }
  }

  /// Whether lines of single iterations are readable: a closed loop of at most 100.
  package var showsIterations: Bool {
    guard let count, !isOpenLoop else { return false }
    return count <= 100
  }

  private var warmupValue: JSONValue {
    switch warmup {
    case .iterations(let number): .int(Int64(number))
    case .duration(let length): .string(DurationText.write(length))
    }
  }
}

extension ArrivalSettings {
  /// What shapes the load, for the result: of an open loop's settings only where there is one.
  fileprivate var parameters: [String: JSONValue] {
    var parameters: [String: JSONValue] = ["threads": .int(Int64(threads))]
    if let stages { parameters["stages"] = .string(stages.text) }
    if let timeline { parameters["timeline"] = .string(DurationText.write(timeline)) }
    if isOpenLoop {
      parameters["rate"] = rate.map { .string(RateText.write($0)) } ?? .null
      parameters["arrival"] = isPoisson ? "poisson" : "constant"
      parameters["dropWhenBusy"] = .bool(dropsWhenBusy)
      parameters["precise"] = .bool(isPrecise)
    } else {
      parameters["thinkTime"] = .string(DurationText.write(thinkTime))
    }
    return parameters
  }
}

extension TargetSettings {
  /// What shapes the pool, for the result. Headers are named, their values never.
  package var parameters: [String: JSONValue] {
    var parameters: [String: JSONValue] = ["headers": .array(headers.map { .string($0.name) })]
    if tokens.count > 1 { parameters["tokens"] = .int(Int64(tokens.count)) }
    if tokenCommand != nil { parameters["tokenCommand"] = true }
    if let profile { parameters["gatewayProfile"] = .string(profile.name) }
    // Named only where they were given: a run without them compares with those of before.
    if !keepsCookies { parameters["noCookies"] = .bool(true) }
    if hasCertificate { parameters["clientCertificate"] = .bool(true) }
    switch gateway {
    case .remote:
      parameters["agents"] = .int(Int64(agents))
    case .embedded(let settings):
      parameters["poolSize"] = .int(Int64(settings.poolSize))
      parameters["maxTasks"] = .int(Int64(settings.maxTasks))
      parameters["taskStartDelay"] = .string(DurationText.write(settings.taskStartDelay))
    }
    return parameters
  }
}

extension [ToolDescription.Parameter] {
  /// Those of ``LoadSettings``.
  static let load: Self = [
    "count", "duration", "concurrency", "maxInFlight", "warmup", "timeout", "threads", "stages", "rate", "arrival",
    "dropWhenBusy", "precise", "thinkTime",
    // Whose requests these are.
    .init("userId", shapesLoad: false),
    .init("seed", shapesLoad: false),
    // How finely the result is written.
    .init("timeline", shapesLoad: false),
  ]
}
