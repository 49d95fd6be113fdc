import Latency

/// One run of one candidate, event by event: a pure state machine, whose random numbers come from streams of a seed.
///
/// Events of one instant happen in this order: ends of sessions, instances, warm tasks, then the keeper's looks, ends of
/// warm tasks by age, and last arrivals. So a user who comes at the instant at which a task becomes warm gets it.
struct PoolSimulation {
  private let model: PlanModel
  private let rules: KeepingRules
  private let poolSize: Int
  private let needsSessions: Bool
  private let warmup: UInt64
  private let end: UInt64

  private var arrivals: ArrivalStream
  private var sessions: RandomStream
  private var assignments: RandomStream
  private var starts: RandomStream
  private var boots: RandomStream

  private var calendar = EventCalendar()
  private var fleet: InstanceFleet?
  private var tasks = TaskRecords()
  private var now: UInt64 = 0

  /// Warm tasks, the longest waiting first: that one is given out next, and is the first that is too old.
  private var warm = Ring<WarmTask>()
  /// Users who wait for the next task, in their order.
  private var waiting = Ring<User>()
  /// Users whose own start has not begun, because too many starts are on their way.
  private var waitingForStart = Ring<User>()
  /// Tasks that the keeper has ordered and that are not warm yet.
  private var starting = 0
  /// Those of them that have not begun: too many starts are on their way, or no instance has room.
  private var postponed = 0
  private var startsUnderWay = 0
  /// The service's tasks with a user.
  private var assignedOfService = 0
  private var sessionCount = 0
  private var userCount = 0
  /// Measured users who have not got their task.
  private var unserved = 0

  private(set) var record: RunRecord
  /// Is told of every event, for tests.
  var trace: ((SimulationTrace) -> Void)?

  struct User {
    var number: Int
    var arrival: UInt64
    var session: UInt64
    var assign: UInt64
  }

  private struct WarmTask {
    var task: Int
    var since: UInt64
  }

  init(_ model: PlanModel, _ candidate: Candidate, run: Int, record: RunRecord) {
    self.model = model
    self.record = record
    rules = model.rules
    poolSize = candidate.poolSize
    needsSessions = model.needsSessions
    warmup = model.schedule.warmup.nanoseconds
    end = warmup + model.schedule.horizon.nanoseconds
    func stream(_ purpose: RandomStream.Purpose) -> RandomStream {
      RandomStream(seed: model.schedule.seed, run: run, purpose)
    }
    arrivals = ArrivalStream(model.arrivals, origin: warmup, stream: stream(.arrivals))
    sessions = stream(.sessions)
    assignments = stream(.assignments)
    starts = stream(.starts)
    boots = stream(.instances)
    fleet = model.capacity.map { InstanceFleet($0, instancePool: candidate.instancePool) }
  }

  /// Simulates the run to its end. Users of the measured time who wait then are waited for, at most for a day or as long
  /// again as the run; meanwhile others come, who are in no figure.
  mutating func simulate() {
    fill()
    var nextArrival = arrivals.next() ?? .max
    var nextLook = lookLength ?? .max
    let latest = end + max(end, DailyProfile.day.nanoseconds)
    while true {
      let expiry = nextExpiry
      let time = min(min(calendar.nextTime, nextArrival), min(nextLook, expiry))
      if time >= end, unserved == 0 || time >= latest { break }
      advance(to: time)
      if calendar.nextTime == time {
        handle(calendar.removeFirst())
      } else if nextLook == time {
        nextLook = time + (lookLength ?? .max)
        replenish()
      } else if expiry == time {
        if let old = warm.popFirst() { endTask(old.task) }
        keep()
      } else {
        arrive()
        nextArrival = arrivals.next() ?? .max
      }
    }
    advance(to: max(now, end))
    record.endRun(unserved: unserved)
  }

  private var lookLength: UInt64? {
    if case .every(let length) = rules.replenish { length.nanoseconds } else { nil }
  }

  private var nextExpiry: UInt64 {
    guard let length = rules.timeToLive, let oldest = warm.first else { return .max }
    return oldest.since + length.nanoseconds
  }

  /// The beginning: all wanted tasks are warm, on as many instances as they need.
  private mutating func fill() {
    for _ in 0..<(model.capacity?.fewest ?? 0) { _ = fleet?.addRunning(at: 0) }
    for _ in 0..<poolSize {
      if let capacity = model.capacity, let fleet, fleet.heldSlots == fleet.runningCount * capacity.slots {
        _ = self.fleet?.addRunning(at: 0)
      }
      let task = tasks.make(user: nil)
      if fleet != nil, case .running(let instance) = place() { tasks[task].instance = instance }
      trace?(.started(task: task, instance: tasks[task].instance, at: now))
      trace?(.warm(task: task, at: now))
      warm.append(WarmTask(task: task, since: 0))
    }
    scaleOut()
  }

  /// Adds up what holds until `time`.
  private mutating func advance(to time: UInt64) {
    record.hold(
      from: now, to: time,
      .init(
        warm: warm.count, starting: starting - postponed, waiting: waiting.count, sessions: sessionCount,
        instances: fleet?.liveCount ?? 0, stopped: fleet?.stoppedCount ?? 0))
    now = time
  }

  private mutating func handle(_ event: EventCalendar.Event) {
    switch event.kind {
    case .sessionEnds: endSession(event.subject)
    case .taskReady: becomeReady(event.subject)
    case .instanceReady: startTasks(of: event.subject)
    case .instancePoolRefilled: fleet?.refillPool()
    case .instanceIdle: stopIfIdle(event.subject)
    }
  }
}

// MARK: - Users

extension PoolSimulation {
  private mutating func arrive() {
    let user = User(
      number: userCount, arrival: now, session: needsSessions ? model.times.session.sample(&sessions) : 0,
      assign: model.times.assign.sample(&assignments))
    userCount += 1
    trace?(.arrived(user: user.number, at: now))
    let isMeasured = now >= warmup && now < end
    let found = warm.popFirst()
    if isMeasured {
      record.arrive(at: now, isHit: found != nil)
      unserved += 1
    }
    if let found {
      give(found.task, to: user)
    } else {
      switch rules.fallback {
      case .ownStart: startOwn(user)
      case .queue, .wait: waiting.append(user)
      case .refuse: refuse(user)
      }
    }
    keep()
  }

  private mutating func refuse(_ user: User) {
    trace?(.refused(user: user.number, at: now))
    guard isMeasured(user) else { return }
    record.refuse()
    unserved -= 1
  }

  private func isMeasured(_ user: User) -> Bool { user.arrival >= warmup && user.arrival < end }

  /// A task that is ready goes to a user, whose wait has ended but for the assignment.
  private mutating func give(_ task: Int, to user: User) {
    trace?(.given(task: task, user: user.number, at: now))
    if rules.keeper == .ecsService, !tasks[task].isOwn { assignedOfService += 1 }
    if isMeasured(user) {
      record.serve(waited: now - user.arrival, assign: user.assign)
      unserved -= 1
    }
    guard needsSessions else { return tasks.remove(task) }
    sessionCount += 1
    calendar.add(.sessionEnds, task, at: now + user.assign + user.session)
  }

  private mutating func endSession(_ task: Int) {
    sessionCount -= 1
    let isOfService = rules.keeper == .ecsService && !tasks[task].isOwn
    if isOfService { assignedOfService -= 1 }
    trace?(.released(task: task, at: now))
    let mayReturn = rules.afterRelease == .recycle && (isOfService || rules.keeper == .pool)
    if mayReturn, let user = waiting.popFirst() {
      give(task, to: user)
    } else if mayReturn, isOfService || warm.count + starting < rules.maxSize ?? .max {
      tasks[task].isOwn = false
      warm.append(WarmTask(task: task, since: now))
      trace?(.warm(task: task, at: now))
    } else {
      endTask(task)
    }
    keep()
  }
}

// MARK: - Starts

extension PoolSimulation {
  /// Lets a keeper that acts at once replace what is missing.
  private mutating func keep() {
    if case .onAcquire = rules.replenish { replenish() }
  }

  /// Orders what is missing.
  private mutating func replenish() {
    let supply = warm.count + starting
    let missing: Int
    switch rules.keeper {
    case .pool:
      let extra = rules.fallback == .queue ? waiting.count : 0
      guard supply < min(rules.threshold ?? poolSize, poolSize) + extra else { return }
      missing = min(poolSize + extra - supply, (rules.maxSize ?? .max) - supply)
    case .ecsService: missing = poolSize - supply - assignedOfService
    }
    guard missing > 0 else { return }
    starting += missing
    postponed += missing
    beginStarts()
  }

  private mutating func startOwn(_ user: User) {
    guard mayStart else { return waitingForStart.append(user) }
    begin(user)
  }

  private var mayStart: Bool { rules.parallelStarts.map { startsUnderWay < $0 } ?? true }

  /// Begins the starts for which there is room: those of users first.
  private mutating func beginStarts() {
    while mayStart, let user = waitingForStart.popFirst() { begin(user) }
    while postponed > 0, mayStart, begin(nil) { postponed -= 1 }
  }

  /// Begins a start for a user, or for the pool; false where no instance has room, which refuses the user.
  @discardableResult
  private mutating func begin(_ user: User?) -> Bool {
    let placement = fleet == nil ? nil : place()
    if case .some(.none) = placement {
      if let user { refuse(user) }
      return false
    }
    let task = tasks.make(user: user)
    startsUnderWay += 1
    switch placement {
    case .booting(let instance):
      tasks[task].instance = instance
      tasks.append(task, toInstance: instance)
    case .running(let instance):
      tasks[task].instance = instance
      start(task)
    default: start(task)
    }
    trace?(.started(task: task, instance: tasks[task].instance, at: now))
    scaleOut()
    return true
  }

  private mutating func start(_ task: Int) {
    calendar.add(.taskReady, task, at: now + model.times.taskStart.sample(&starts))
  }

  /// A start is done.
  private mutating func becomeReady(_ task: Int) {
    startsUnderWay -= 1
    trace?(.warm(task: task, at: now))
    if let user = tasks[task].user {
      give(task, to: user)
    } else {
      starting -= 1
      if let user = waiting.popFirst() {
        give(task, to: user)
      } else {
        warm.append(WarmTask(task: task, since: now))
      }
    }
    beginStarts()
    keep()
  }

  private mutating func endTask(_ task: Int) {
    trace?(.ended(task: task, at: now))
    let instance = tasks[task].instance
    tasks.remove(task)
    guard instance >= 0, fleet != nil else { return }
    if fleet?.release(instance, at: now) == true { watchIdle(instance) }
    beginStarts()
  }
}

// MARK: - Instances

extension PoolSimulation {
  private mutating func place() -> InstanceFleet.Placement {
    guard var fleet else { return .none }
    self.fleet = nil
    defer { self.fleet = fleet }
    return fleet.place { boot($0) }
  }

  private mutating func scaleOut() {
    guard model.capacity?.scaleOut != nil, var fleet else { return }
    self.fleet = nil
    fleet.scaleOut { boot($0) }
    self.fleet = fleet
  }

  /// Decides when an ordered instance is ready.
  private mutating func boot(_ boot: InstanceFleet.Boot) -> UInt64 {
    let length = (boot.isWarm ? model.times.instanceWarm : model.times.instanceCold).sample(&boots)
    calendar.add(.instanceReady, boot.instance, at: now + length)
    if boot.isWarm, let refill = model.capacity?.poolRefill {
      calendar.add(.instancePoolRefilled, 0, at: now + refill.sample(&boots))
    }
    return now + length
  }

  private mutating func startTasks(of instance: Int) {
    fleet?.becomeReady(instance, at: now)
    var isEmpty = true
    while let task = tasks.popFirst(ofInstance: instance) {
      isEmpty = false
      start(task)
    }
    if isEmpty { watchIdle(instance) }
    beginStarts()
  }

  private mutating func watchIdle(_ instance: Int) {
    guard let length = model.capacity?.scaleIn else { return }
    calendar.add(.instanceIdle, instance, at: now + length.nanoseconds)
  }

  private mutating func stopIfIdle(_ instance: Int) {
    guard let length = model.capacity?.scaleIn else { return }
    if fleet?.stopIfIdle(instance, at: now, after: length.nanoseconds) == true { watchIdle(instance) }
  }
}
