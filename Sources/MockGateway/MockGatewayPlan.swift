import Faults
import ArgumentParser
import AWS
import EmbeddedGateway
import FoundationEssentials
import Gateway
import Latency
import ProcessControl
import WarmTask

/// The checked settings of a run; nothing has been started or written yet.
struct MockGatewayPlan {
  /// The source of tasks.
  enum Tasks: Equatable {
    /// The gateway starts no tasks and accepts those that connect.
    case none
    case processes(warmTask: String, arguments: [String])
    case virtual(UserProgram)

    var areVirtual: Bool {
      if case .virtual = self { true } else { false }
    }
  }

  enum LifecycleTarget: Equatable {
    case none, standardError
    case file(String)
  }

  /// The gateway's settings; the workspace root is empty where the run makes a temporary one.
  var configuration: GatewayConfiguration
  var tasks: Tasks
  var lifecycle: LifecycleTarget
  var hasLifeline: Bool
  var printsCredentials: Bool

  /// - Throws: `ValidationError` (exit status 64) with one line for each wrong value.
  init(
    pool: PoolOptions, server: ServerOptions, profile: ProfileOptions, faults: FaultOptions,
    environment: [String: String],
    ownDirectory: String = MockGatewayPlan.directoryOfThisProgram
  ) throws {
    var reader = ValueReader()
    configuration = GatewayConfiguration(workspaceRoot: "")
    configuration.rules = Self.rules(pool, environment, &reader)
    configuration.taskStartDelay = reader.duration(pool.taskStartDelay, "--task-start-delay") ?? .milliseconds(500)
    configuration.coldStartTimeout = reader.duration(pool.coldStartTimeout, "--cold-start-timeout") ?? .seconds(30)
    configuration.faults = Self.plan(faults, &reader)
    configuration.injectedFaults = Self.injectedFaults(faults.faults, &reader)
    configuration.hasControlAddress = faults.control || faults.faults != nil
    configuration.plantedBug = reader.choice(faults.plantedBug, "--planted-bug", of: PlantedBug.self)
    configuration.host = server.host
    configuration.port =
      reader.number(server.port ?? environment.nonEmpty("GATEWAY_PORT"), "--port", in: 0...65535) ?? 5174
    configuration.dialect = reader.choice(server.dialect, "--dialect", of: GatewayConfiguration.Dialect.self) ?? .plan
    configuration.environment = environment.nonEmpty("ENVIRONMENT") ?? "dev"
    if !UserID.isValid(configuration.environment) {
      reader.note("ENVIRONMENT '\(configuration.environment)' becomes a directory: it is \(UserID.rule)")
    }
    configuration.workspaceRoot = Self.workspace(server, environment, &reader)
    configuration.ecsCredentials = Self.credentials(environment, &reader) ?? .generated()
    let answers = ProductPlan(profile, faults, &reader)
    configuration.product = answers?.profile
    configuration.userIDs = Self.userIDs(pool, &reader)
    tasks = Self.tasks(pool, answers, hasOwn: configuration.rules.maxSize > 0, ownDirectory, &reader)
    lifecycle = server.lifecycleLog.map { .file($0) } ?? (server.logLifecycle ? .standardError : .none)
    hasLifeline = server.lifeline
    printsCredentials = server.printCredentials
    guard reader.problems.isEmpty else { throw ValidationError(reader.problems.joined(separator: "\n       ")) }
  }

  private static func rules(
    _ options: PoolOptions, _ environment: [String: String], _ reader: inout ValueReader
  ) -> PoolRules {
    let limit = 0...100_000
    let isEnabled = reader.boolean(environment["ENABLE_WARM_POOL"], "ENABLE_WARM_POOL") ?? true
    let given = reader.number(options.poolSize, "--pool-size", in: limit)
    let fromEnvironment = reader.number(
      environment.nonEmpty("WARM_POOL_TARGET_SIZE"), "WARM_POOL_TARGET_SIZE", in: limit)
    let size = given ?? (isEnabled ? fromEnvironment ?? 3 : 0)
    let maxSize =
      reader.number(options.maxSize, "--max-size", in: limit)
      ?? reader.number(environment.nonEmpty("WARM_POOL_MAX_SIZE"), "WARM_POOL_MAX_SIZE", in: limit)
    var rules = PoolRules(
      targetSize: size, maxSize: size == 0 && options.maxSize == nil ? nil : maxSize,
      maxTasks: reader.number(options.maxTasks, "--max-tasks", in: limit))
    if rules.maxSize < size { reader.note("--max-size \(rules.maxSize) is less than the pool's size, \(size)") }
    if rules.maxTasks < size { reader.note("--max-tasks \(rules.maxTasks) is less than the pool's size, \(size)") }
    rules.replenishThreshold = reader.number(
      options.replenishThreshold, "--replenish-threshold", in: 1...max(1, size))
    rules.timeToLive = reader.duration(options.taskTtl, "--task-ttl") ?? rules.timeToLive
    if rules.timeToLive == 0 { reader.note("--task-ttl is more than nothing") }
    rules.initTimeout = reader.duration(options.initTimeout, "--init-timeout") ?? rules.initTimeout
    if rules.initTimeout == 0 { reader.note("--init-timeout is more than nothing") }
    rules.replacesOnRelease = options.replaceOnRelease
    rules.allowsColdStarts = !options.noColdStarts
    return rules
  }

  private static func userIDs(_ options: PoolOptions, _ reader: inout ValueReader) -> UserIDRange? {
    guard let text = options.taskUids else { return nil }
    guard let range = UserIDRange(text) else {
      reader.note("--task-uids '\(text)': it is \(UserIDRange.rule)")
      return nil
    }
    if let refusal = range.refusal { reader.note("--task-uids: \(refusal)") }
    if options.virtualTasks, options.command == nil {
      reader.note("--task-uids: virtual tasks run no program without --command")
    }
    return range
  }

  private static func plan(_ options: FaultOptions, _ reader: inout ValueReader) -> FaultPlan {
    var plan = FaultPlan()
    plan.acquireDelay = reader.duration(options.acquireDelay, "--acquire-delay") ?? .zero
    plan.failingStarts =
      options.failStarts == "always"
      ? .max : reader.number(options.failStarts, "--fail-starts", in: 0...1_000_000) ?? 0
    plan.acquireFault = reader.choice(options.fault, "--fault", of: AcquireFault.self)
    plan.firstAcquires = reader.number(options.faultFirst, "--fault-first", in: 0...Int.max)
    if let text = options.faultProbability {
      if let value = Double(text), (0...1).contains(value) {
        plan.probability = value
      } else {
        reader.note("--fault-probability '\(text)': it is a number from 0 to 1")
      }
    }
    plan.seed = UInt64(reader.number(options.faultSeed, "--fault-seed", in: 0...Int.max) ?? 0)
    return plan
  }

  /// The plan that `--faults` names: a file where the text has a slash or ends in `.json`, else the text itself.
  private static func injectedFaults(_ text: String?, _ reader: inout ValueReader) -> InjectedFaults? {
    guard var text else { return nil }
    if text.hasSuffix(".json") || (text.contains("/") && FileManager.default.fileExists(atPath: text)) {
      guard let data = FileManager.default.contents(atPath: text) else {
        reader.note("--faults: the file '\(text)' can't be read")
        return nil
      }
      text = String(decoding: data, as: UTF8.self)
    }
    do throws(FaultSpecificationError) {
      return try InjectedFaults(parsing: text)
    } catch {
      for problem in error.problems { reader.note("--faults: \(problem)") }
      return nil
    }
  }

  private static func workspace(
    _ options: ServerOptions, _ environment: [String: String], _ reader: inout ValueReader
  ) -> String {
    guard var path = options.workspaceRoot ?? environment.nonEmpty("EFS_MOUNT_PATH") else { return "" }
    while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
    var isDirectory = false
    if path.hasPrefix("/"), FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory {
      return path
    }
    reader.note("--workspace-root '\(path)': it is the absolute path of a directory that exists")
    return ""
  }

  private static func credentials(_ environment: [String: String], _ reader: inout ValueReader) -> AWSCredentials? {
    let names = ("INFRABENCH_ECS_ACCESS_KEY_ID", "INFRABENCH_ECS_SECRET_ACCESS_KEY")
    switch (environment.nonEmpty(names.0), environment.nonEmpty(names.1)) {
    case (let id?, let secret?):
      return AWSCredentials(accessKeyID: id, secretAccessKey: secret, source: "environment variables")
    case (nil, nil): return nil
    default:
      reader.note("\(names.0) and \(names.1) come together")
      return nil
    }
  }

  private static func tasks(
    _ options: PoolOptions, _ product: ProductPlan?, hasOwn: Bool, _ ownDirectory: String,
    _ reader: inout ValueReader
  ) -> Tasks {
    let delay = reader.duration(options.startupDelay, "--startup-delay")
    if options.command != nil, delay != nil {
      reader.note("--startup-delay is the stand-in's: leave it out with --command")
    }
    // The agent in the task reads whole milliseconds, and no more than an hour: a longer one would fail with each task's start.
    if let delay, product == nil, hasOwn, !options.virtualTasks,
      delay % .milliseconds(1) > .zero || delay > .seconds(3600)
    {
      reader.note("--startup-delay: tasks that are processes take whole milliseconds up to 1h, such as 250ms")
    }
    var words: [String] = []
    if let command = options.command {
      do { words = try ShellWords.split(command) } catch { reader.note("--command: \(error)") }
      product?.noteStandInOptions(&reader)
    } else if let product, hasOwn || options.virtualTasks {
      words = product.standIn(in: ownDirectory, startupDelay: delay, &reader)
    }
    if options.virtualTasks {
      return .virtual(words.isEmpty ? .inline(startDelay: delay ?? .zero) : .command(words))
    }
    guard hasOwn else { return .none }
    let warmTask = options.warmTask ?? "\(ownDirectory)/warm-task"
    if !FileManager.default.isExecutableFile(atPath: warmTask) {
      reader.note("there is no program '\(warmTask)': build it, give --warm-task, or use --virtual-tasks")
    }
    var arguments: [String] = []
    if product != nil {
      arguments += ["--command", ShellWords.joined(words)]
    } else {
      if let command = options.command { arguments += ["--command", command] }
      if let delay { arguments += ["--startup-delay", "\(delay / .milliseconds(1))ms"] }
    }
    if let uids = options.taskUids { arguments += ["--user-ids", uids] }
    return .processes(warmTask: warmTask, arguments: arguments)
  }

  /// The directory of this program, in which the other programs of the same build lie.
  static var directoryOfThisProgram: String {
    let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
  }
}

extension [String: String] {
  /// The variable's value; `nil` where it is missing or empty.
  fileprivate func nonEmpty(_ name: String) -> String? { self[name].flatMap { $0.isEmpty ? nil : $0 } }
}

/// Reads texts as values and collects the errors.
struct ValueReader {
  private(set) var problems: [String] = []

  mutating func note(_ problem: String) { problems.append(problem) }

  /// A whole number; nil where `text` is nil or wrong.
  mutating func number(_ text: String?, _ name: String, in range: ClosedRange<Int>) -> Int? {
    guard let text else { return nil }
    if let number = Int(text), range.contains(number) { return number }
    note("\(name) '\(text)': it is a whole number from \(range.lowerBound) to \(range.upperBound)")
    return nil
  }

  /// A duration with its unit, up to 24 h.
  mutating func duration(_ text: String?, _ name: String) -> Nanoseconds? {
    guard let text else { return nil }
    let units: [DurationText.Unit] = [.ns, .us, .ms, .s, .m, .h]
    if let length = DurationText.parse(text, units: units, upTo: .seconds(24 * 3600)) { return length }
    note("\(name) '\(text)': it is a duration up to 24h with its unit, such as 250ms, 1.5s or 2m")
    return nil
  }

  mutating func boolean(_ text: String?, _ name: String) -> Bool? {
    switch text?.lowercased() {
    case nil, "": return nil
    case "true", "1", "yes": return true
    case "false", "0", "no": return false
    default:
      note("\(name) '\(text ?? "")': it is true or false")
      return nil
    }
  }

  /// One of the cases of `type`.
  mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ text: String?, _ name: String, of type: Choice.Type
  ) -> Choice? {
    guard let text else { return nil }
    if let choice = Choice(rawValue: text) { return choice }
    note("\(name) '\(text)': it is one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    return nil
  }
}
