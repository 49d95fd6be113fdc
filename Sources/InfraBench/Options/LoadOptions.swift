package import ArgumentParser
import Gateway
import Glibc
package import LoadEngine
package import Latency
package import Results
import TextFormatting

/// How much load is made, and by how many users.
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
  /// The longest prefix of a user id that leaves room for the number behind it.
  private static let longestPrefix = UserID.maximumLength - 8

  /// Checks the load options; the defaults are the tool's own.
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
    // Stages of users begin with no user unless the number is given.
    let first = concurrency ?? (arrivals.stages == nil ? defaultConcurrency : 0)
    var settings = LoadSettings(
      count: count ?? (liftsCount ? nil : defaultCount), duration: duration, concurrency: first,
      warmup: warmup(options.warmup),
      timeout: self.duration("--timeout", options.timeout, default: .seconds(30), minimum: .milliseconds(1)),
      userIDPrefix: userIDPrefix(options.userID), seed: seed(options.seed))
    // Arrivals come last: an option whose own value was refused is not refused again for its use.
    settings.arrivals = self.arrivals(arrivals, options)
    if settings.isOpenLoop { settings.concurrency = inFlight }
    return settings
  }

  /// The prefix of users' ids.
  mutating func userIDPrefix(_ written: String?) -> String {
    let prefix = written ?? DefaultUserID.prefix
    if !UserID.isValid(prefix) || prefix.utf8.count > Self.longestPrefix {
      problems.add(
        "--user-id",
        "'\(prefix.prefix(40))' is no user id: write \(UserID.rule), and at most \(Self.longestPrefix) here")
    }
    return prefix
  }

  /// The iterations or the time before the measurement.
  mutating func warmup(_ written: String?) -> LoadPlan.Warmup {
    guard let written else { return .iterations(0) }
    if let number = PlainText.wholeNumber(written), number <= 1_000_000_000 { return .iterations(number) }
    if let length = DurationText.parse(written) { return .duration(length) }
    problems.add("--warmup", "'\(written)' is wrong: write a whole number of iterations, or a duration such as 5s")
    return .iterations(0)
  }

  /// The written seed, or a random one.
  mutating func seed(_ written: String?) -> UInt64 {
    // Below 2⁵³, so that any reader of JSON keeps the whole number.
    guard let written else { return UInt64.random(in: 0..<(1 << 53)) }
    if let number = PlainText.wholeNumber(written), number < 1 << 53 { return UInt64(number) }
    problems.add("--seed", "'\(written)' is wrong: write a whole number from 0 to \((1 << 53) - 1)")
    return 0
  }
}

/// How much load is made, checked.
package struct LoadSettings: Sendable {
  package var count: Int?
  package var duration: Nanoseconds?
  /// The number of virtual users: of a closed loop, at the begin where there are stages; of an open loop, the most in
  /// flight.
  package var concurrency: Int
  package var warmup: LoadPlan.Warmup
  package var timeout: Nanoseconds
  package var userIDPrefix: String
  package var seed: UInt64
  package var arrivals = ArrivalSettings()
  /// Which part of the load this run makes, and when it begins; nil: it makes all of it, at once.
  package var shard: ShardSettings?

  /// The iterations of this run alone.
  package var ownCount: Int? { count.map { shard?.shard.share(of: $0) ?? $0 } }

  /// The most virtual users of this run alone.
  package var ownUsers: Int { shard?.shard.share(of: users) ?? users }

  /// Whether arrivals are due on a schedule.
  package var isOpenLoop: Bool { arrivals.isOpenLoop }

  /// The most virtual users at one time.
  package var users: Int { ramp?.maximum ?? concurrency }

  /// The most iterations in flight at one time; nil in a closed loop.
  package var maxInFlight: Int? { isOpenLoop ? ownUsers : nil }

  /// The time-outs of a run, by the names of their parameters.
  func timeouts(beside runTask: RunTaskSettings?) -> [String: Nanoseconds] {
    ["timeout": timeout].merging(runTask.map { ["startTimeout": $0.startTimeout] } ?? [:]) { $1 }
  }

  /// The plan for the load engine.
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
    plan.shard = shard?.shard ?? .whole
    return plan
  }

  /// How long new iterations begin, from the begin of the measured part on: until the duration or the stages end; nil
  /// where neither is given.
  package var length: Nanoseconds? { [duration, ramp?.length, schedule?.length].compactMap(\.self).min() }

  private var schedule: ArrivalSchedule? {
    let arrival: ArrivalSchedule.Arrival = arrivals.isPoisson ? .poisson(seed: seed) : .constant
    if case .rates(let stages) = arrivals.stages {
      return ArrivalSchedule(
        stages: stages, from: arrivals.rate ?? ArrivalRate(starts: 0, period: .seconds(1)), arrival: arrival)
    }
    return arrivals.rate.map { ArrivalSchedule(rate: $0, arrival: arrival) }
  }

  /// Closed loop: the stages by which users come and go; nil without any.
  private var ramp: UserRamp? {
    guard case .users(let stages) = arrivals.stages else { return nil }
    return UserRamp(stages: stages, from: concurrency)
  }

  /// The id of user `number` of `total`: the prefix alone for a single user, else the prefix with four digits or more.
  package func userID(_ number: Int, of total: Int) -> String {
    Self.userID(userIDPrefix, number, of: total)
  }

  /// The id of user `number` of the plan's users.
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

/// The default prefix of users' ids, `test-user-xxxx`. The last four characters are a hash of the names of the host and
/// of the system user that runs the tool. So runs of colleagues at one gateway have different users, and repeated runs
/// do not fill a real file system with new directories.
enum DefaultUserID {
  /// The prefix for this host and system user; it is equal in every run.
  static let prefix = prefix(host: hostName, user: userName)

  static func prefix(host: String, user: String) -> String {
    // FNV-1a with 64 bits: hashes of Swift's library differ from run to run.
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

  /// The user's name; its number where there is no name.
  private static var userName: String {
    var entry = passwd()
    var result: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 4096)
    guard getpwuid_r(getuid(), &entry, &buffer, buffer.count, &result) == 0, result != nil, let name = entry.pw_name
    else { return "\(getuid())" }
    return String(cString: name)
  }
}

/// The timeline for a report that draws one, where the user gave no `--timeline`.
enum DefaultTimeline {
  private static let intervals: UInt64 = 100
  private static let shortest: Nanoseconds = .milliseconds(20)
  private static let unknown: Nanoseconds = .milliseconds(50)
  private static let longest: Nanoseconds = .seconds(1)

  /// The length of an interval: a hundredth of `length`, which is the run's where that is known before, but not so
  /// short that cutting it is not worth it. In a run that turns out longer, intervals are merged.
  static func interval(forLength length: Nanoseconds?) -> Nanoseconds {
    guard let length else { return unknown }
    return min(max(length / intervals, shortest), longest)
  }
}

extension LoadSettings {
  /// Gives the run a timeline where a report draws one and the user asked for none.
  mutating func addTimeline(for output: OutputSettings) {
    guard arrivals.timeline == nil, output.formats.contains(where: \.drawsTimeline) else { return }
    arrivals.timeline = DefaultTimeline.interval(forLength: length)
  }
}

extension LoadSettings {
  /// The parameters of the load, for the result.
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

  /// Whether a line for each iteration is readable: in a closed loop of at most 100 iterations.
  package var showsIterations: Bool {
    guard let count = ownCount, !isOpenLoop else { return false }
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
  /// The parameters of arrivals, for the result; those of an open loop only where there is one.
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
  /// The parameters of the target, for the result. Headers are named; their values are never stored.
  package var parameters: [String: JSONValue] {
    var parameters: [String: JSONValue] = ["headers": .array(headers.map { .string($0.name) })]
    if tokens.count > 1 { parameters["tokens"] = .int(Int64(tokens.count)) }
    if tokenCommand != nil { parameters["tokenCommand"] = true }
    if let profile { parameters["gatewayProfile"] = .string(profile.name) }
    // Named only where they are given, so that a run without them can be compared with results of earlier versions.
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
  /// The parameters of ``LoadSettings``.
  static let load: Self = [
    "count", "duration", "concurrency", "maxInFlight", "warmup", "timeout", "threads", "stages", "rate", "arrival",
    "dropWhenBusy", "precise", "thinkTime",
    // It names the users, and does not change the load.
    .init("userId", shapesLoad: false),
    .init("seed", shapesLoad: false),
    // It changes only how finely the result is written.
    .init("timeline", shapesLoad: false),
  ]
}
