import Latency
import LoadEngine
import PlanReports
package import Planning
import Results
import TextFormatting

/// What `bench-plan` was asked to do, checked.
package struct PlanSettings: Sendable {
  package var model: PlanModel
  package var candidates: [Candidate]
  package var requirements: [Requirement]
  package var prices: Prices?
  /// What the plan is made from, for people.
  var inputs: [PlanInput]
  var notes: [String]
}

/// The team's figures, which its simulators take (docs/planning.md).
enum LabPreset {
  static let rate = "5/m"
  static let slots = "7"
  static let instances = "1..50"
  static let candidates = "0/2,2/2,3/2,4/2,5/3"
  static let taskStart = "10s"
  static let instanceWarm = "15s"
  static let instanceCold = "180s"
  static let poolRefill = "30s"
  static let prices = "lab"
  /// The team's simulators never stop an instance, so this one is no figure of the team's.
  static let scaleIn = "5m"
}

extension OptionReader {
  /// Checks the options of bench-plan; nil where they make no model. All mistakes are in `problems`.
  package mutating func plan(_ command: PlanCommand) -> PlanSettings? {
    let isLab = choice("--preset", command.preset, of: ["lab"], default: "") == "lab"
    var reading = PlanReading(isLab: isLab)
    let measured = measuredTimes(command.times.measured)
    reading.notes += measured.notes
    let times = times(command, measured, &reading)
    let arrivals = planArrivals(command.users, &reading)
    let rules = rules(command.pool, &reading)
    if command.pool.fallback == nil, !measured.embedded.isEmpty {
      reading.notes.append(
        "\(PlainText.list(measured.embedded.map { "'\($0)'" }, "and")) \(measured.embedded.count == 1 ? "is" : "are") of an "
          + "embedded gateway, where a user without a task waits for the next one (--fallback queue), and the plan's rule is "
          + "\(rules.fallback.rawValue): say with --fallback which one your gateway has")
    }
    let capacity = capacity(command.instances, cold: times.instanceCold, &reading)
    let requirements = requirements(command.requirements)
    let prices = prices(command.instances.prices ?? (isLab ? LabPreset.prices : nil), capacity: capacity, requirements)
    // Where it is wrong who comes, the candidates are still read, so that all mistakes are said.
    var model = PlanModel(arrivals: arrivals ?? .poisson(perSecond: 1), times: times, rules: rules, capacity: capacity)
    model.schedule = schedule(command.simulation, of: model, &reading)
    let candidates = candidates(command, of: model, &reading)
    // What is impossible follows from values that are right.
    guard problems.isEmpty else { return nil }
    for impossible in model.impossibilities(candidates) {
      // The sizes may come from another option.
      let isPairs = impossible.cause == .poolSize && command.pool.candidates != nil
      problems.add(isPairs ? "--candidates" : impossible.cause.option, impossible.sentence)
    }
    return PlanSettings(
      model: model, candidates: candidates, requirements: requirements, prices: prices, inputs: reading.inputs,
      notes: reading.notes)
  }

  private mutating func times(
    _ command: PlanCommand, _ measured: MeasuredTimes, _ reading: inout PlanReading
  ) -> PlanTimes {
    var times = PlanTimes()
    let written = command.times
    times.assign = length("--assign", written.assign, measured.assign, preset: nil, default: "260ms", &reading)
    times.taskStart = length(
      "--task-start", written.taskStart, measured.taskStart, preset: LabPreset.taskStart, default: "10s", &reading)
    times.session = session(command.users.session, &reading)
    guard command.instances.slots != nil || reading.isLab else {
      for (option, value) in [("--instance-warm", written.instanceWarm), ("--instance-cold", written.instanceCold)]
      where value != nil {
        problems.add(option, "instances are simulated where --slots is given: give that, or leave it out")
      }
      return times
    }
    times.instanceWarm = length(
      "--instance-warm", written.instanceWarm, measured.instanceWarm, preset: LabPreset.instanceWarm, default: "17s",
      &reading)
    times.instanceCold = length(
      "--instance-cold", written.instanceCold, measured.instanceCold, preset: LabPreset.instanceCold, default: "81s",
      &reading)
    return times
  }

  private mutating func planArrivals(_ options: PlanUserOptions, _ reading: inout PlanReading) -> ArrivalProcess? {
    let given = [
      ("--arrival-rate", options.arrivalRate), ("--arrival-profile", options.arrivalProfile),
      ("--arrivals", options.arrivals),
    ].filter { $0.1 != nil }
    if given.count > 1 {
      problems.add(given[1].0, "users come by \(given[0].0) already: give one of them")
      return nil
    }
    if let written = options.arrivalProfile {
      guard let profile = profile(written) else { return nil }
      reading.add("arrivals", "Poisson, \(written) daily", given: true)
      return .profile(profile)
    }
    if let path = options.arrivals {
      guard let recorded = recordedArrivals(path) else { return nil }
      let span = DurationText.write(.seconds(recorded.length.seconds.rounded()))
      reading.add("arrivals", "\(recorded.instants.count) in \(span)", source: path)
      return .recorded(recorded)
    }
    guard let written = options.arrivalRate ?? (reading.isLab ? LabPreset.rate : nil) else {
      problems.add("--arrival-rate", "say who comes: with it, --arrival-profile or --arrivals")
      return nil
    }
    guard let rate = RateText.parse(written), rate.starts > 0 else {
      problems.add("--arrival-rate", "'\(written.prefix(40))' is no rate: \(RateText.rule)")
      return nil
    }
    reading.add("arrivals", "Poisson, \(written)", given: options.arrivalRate != nil)
    return .poisson(perSecond: rate.perSecond)
  }

  private mutating func rules(_ options: PlanPoolOptions, _ reading: inout PlanReading) -> KeepingRules {
    var rules = KeepingRules()
    rules.keeper = planChoice("--keeper", options.keeper, default: .pool)
    rules.fallback = planChoice("--fallback", options.fallback, default: .ownStart)
    rules.afterRelease = planChoice("--after-release", options.afterRelease, default: .replace)
    rules.replenish = replenish(options.replenish)
    let sizes = 0...100_000
    rules.threshold = optionalInteger("--replenish-threshold", options.replenishThreshold, in: sizes)
    rules.maxSize = optionalInteger("--max-size", options.maxSize, in: sizes)
    rules.parallelStarts = optionalInteger("--parallel-starts", options.parallelStarts, in: 1...100_000)
    rules.timeToLive = optionalDuration("--ttl", options.ttl, minimum: .seconds(1))
    if rules.keeper == .ecsService {
      let ofPools = [
        ("--replenish-threshold", options.replenishThreshold != nil), ("--max-size", options.maxSize != nil),
        ("--replenish", options.replenish != nil),
      ]
      for (option, isGiven) in ofPools where isGiven {
        refuse(option, "an ECS service keeps its tasks by its desired count alone: leave it out, or --keeper")
      }
    }
    reading.add("keeper", rules.keeper.rawValue, given: options.keeper != nil)
    reading.add("a user without a task", rules.fallback.rawValue, given: options.fallback != nil)
    let others = [
      ("after a session", options.afterRelease), ("missing tasks are ordered", options.replenish),
      ("replenish threshold", options.replenishThreshold), ("largest size", options.maxSize),
      ("starts at one time", options.parallelStarts), ("age of a warm task", options.ttl),
    ]
    for (name, value) in others {
      if let value { reading.add(name, value, given: true) }
    }
    return rules
  }

  private mutating func capacity(
    _ options: PlanInstanceOptions, cold: LengthDistribution, _ reading: inout PlanReading
  ) -> Capacity? {
    guard let written = options.slots ?? (reading.isLab ? LabPreset.slots : nil) else {
      let needed = [
        ("--instances", options.instances), ("--instance-pool", options.instancePool),
        ("--instance-pool-refill", options.instancePoolRefill), ("--scale-out", options.scaleOut),
        ("--scale-in", options.scaleIn),
      ]
      for (option, value) in needed where value != nil {
        problems.add(option, "instances are simulated where --slots is given: give that, or leave it out")
      }
      return nil
    }
    let slots = integer("--slots", written, default: 1, in: 1...10_000)
    reading.add("slots an instance", written, given: options.slots != nil)
    var capacity = Capacity(slots: slots)
    if let range = options.instances ?? (reading.isLab ? LabPreset.instances : nil) {
      (capacity.fewest, capacity.most) = instanceRange(range)
      reading.add("instances", range, given: options.instances != nil)
    } else {
      reading.add("instances", "1 at least", given: false)
    }
    capacity.poolRefill = cold
    if let refill = options.instancePoolRefill ?? (reading.isLab ? LabPreset.poolRefill : nil) {
      capacity.poolRefill = lengthText("--instance-pool-refill", refill) ?? cold
      reading.add("instance pool's refill", refill, given: options.instancePoolRefill != nil)
    }
    capacity.scaleOut = scaleOut(options.scaleOut)
    if let rule = options.scaleOut { reading.add("scale out", rule, given: true) }
    let scaleIn = options.scaleIn ?? (reading.isLab ? LabPreset.scaleIn : nil)
    capacity.scaleIn = optionalDuration("--scale-in", scaleIn, minimum: .seconds(1))
    if let scaleIn { reading.add("scale in", scaleIn, given: options.scaleIn != nil) }
    return capacity
  }

  private mutating func schedule(
    _ options: PlanSimulationOptions, of model: PlanModel, _ reading: inout PlanReading
  ) -> RunSchedule {
    var schedule = RunSchedule()
    switch model.arrivals {
    case .profile: schedule.horizon = DailyProfile.day
    // A second more than the last arrival, so that it is measured too.
    case .recorded(let recorded): (schedule.horizon, schedule.warmup) = (recorded.length + .seconds(1), .zero)
    case .poisson: break
    }
    if case .recorded = model.arrivals {
    } else if model.needsSessions {
      // Sessions forget how a run began after some of their own lengths only.
      schedule.warmup = max(schedule.warmup, .seconds((model.settling.seconds / 3600).rounded(.up) * 3600))
    }
    schedule.horizon = duration("--horizon", options.horizon, default: schedule.horizon, minimum: .seconds(1))
    schedule.warmup = duration("--warmup", options.warmup, default: schedule.warmup)
    schedule.runs = integer("--runs", options.runs, default: 20, in: 1...100_000)
    schedule.seed = seed(options.seed)
    reading.add("horizon", DurationText.write(schedule.horizon), given: options.horizon != nil)
    reading.add("warm-up", DurationText.write(schedule.warmup), given: options.warmup != nil)
    return schedule
  }

  private mutating func candidates(
    _ command: PlanCommand, of model: PlanModel, _ reading: inout PlanReading
  ) -> [Candidate] {
    let (sizes, pools, pairs) = (command.pool.poolSize, command.instances.instancePool, command.pool.candidates)
    if let pairs = pairs ?? (reading.isLab && sizes == nil && pools == nil ? LabPreset.candidates : nil) {
      if command.pool.candidates != nil {
        if sizes != nil { problems.add("--pool-size", "the candidates are given by --candidates already") }
        if pools != nil { problems.add("--instance-pool", "the candidates are given by --candidates already") }
      }
      return candidatePairs(pairs, hasInstances: model.capacity != nil)
    }
    // Without instances there is a message about --instance-pool already.
    let instancePools =
      model.capacity == nil ? [0] : pools.map { numbers("--instance-pool", $0, most: 100_000) } ?? [0]
    let poolSizes = sizes.map { numbers("--pool-size", $0, most: 100_000) } ?? Self.usualSizes(of: model)
    if poolSizes.count * instancePools.count > Self.mostCandidates {
      problems.add("--pool-size", "these are \(poolSizes.count * instancePools.count) candidates: give at most 1000")
      return []
    }
    return poolSizes.flatMap { size in instancePools.map { Candidate(poolSize: size, instancePool: $0) } }
  }

  static let mostCandidates = 1000

  /// Ten sizes from the smallest on that is possible. A service's tasks with users count, so its sizes lie around the
  /// number of tasks that are missing on average, in steps of its deviation.
  private static func usualSizes(of model: PlanModel) -> [Int] {
    let rate = model.arrivals.highestPerSecond
    let times = model.times
    let ofUser = times.session.mean + times.assign.mean + times.taskStart.mean
    guard model.rules.keeper == .pool else {
      if case .recorded(let recorded) = model.arrivals {
        let most = Double(min(recorded.most(within: .seconds(min(ofUser, 1e8))), 90_000))
        return Set((1...10).map { Int((most * Double($0) / 10).rounded(.up)) }).sorted()
      }
      let load = min(rate * ofUser, 50_000)
      let step = max(1, (load.squareRoot() / 2).rounded())
      return (0..<10).map { Int(load.rounded(.up) + Double($0) * step) }
    }
    var first = 1
    if model.rules.fallback == .wait, model.rules.afterRelease == .replace {
      var length = times.taskStart.mean
      if case .every(let interval) = model.rules.replenish { length = max(length, interval.seconds) }
      if case .recorded = model.arrivals { length = 0 }
      first = Int(min(rate * length, 90_000)) + 1
    }
    let sizes = Array(first..<(first + 10))
    // Where none is possible, the sentence that says why names the first.
    let possible = sizes.filter { $0 <= model.rules.maxSize ?? .max }
    return possible.isEmpty ? sizes : possible
  }

  private mutating func requirements(_ written: [String]) -> [Requirement] {
    written.compactMap { text in
      do throws(ThresholdError) {
        return try Requirement(text)
      } catch {
        problems.add("--require", error.message)
        return nil
      }
    }
  }

  private mutating func prices(_ written: String?, capacity: Capacity?, _ requirements: [Requirement]) -> Prices? {
    for requirement in requirements {
      if requirement.subject == .cost, written == nil {
        problems.add("--require", "'\(requirement.expression)' needs --prices")
      }
      if requirement.subject == .instances, capacity == nil {
        problems.add("--require", "'\(requirement.expression)' needs --slots")
      }
    }
    guard let written else { return nil }
    let prices = written == "lab" ? Prices.lab : priceFile(written)
    if let prices, prices.priceInstances, capacity == nil {
      problems.add("--prices", "these are prices of instances: say with --slots how many tasks an instance has")
    }
    return prices
  }
}

extension ImpossiblePlan.Cause {
  /// The option that has to be changed.
  fileprivate var option: String {
    switch self {
    case .poolSize: "--pool-size"
    case .instances: "--instances"
    case .parallelStarts: "--parallel-starts"
    case .maxSize: "--max-size"
    case .threshold: "--replenish-threshold"
    case .horizon: "--horizon"
    case .session: "--session"
    }
  }
}
