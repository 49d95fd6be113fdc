package import Latency

/// What is planned: who comes, how long things take, and by which rules the pool is kept.
package struct PlanModel: Sendable, Equatable {
  package var arrivals: ArrivalProcess
  package var times: PlanTimes
  package var rules: KeepingRules
  /// The instances that tasks need; nil: there is always room.
  package var capacity: Capacity?
  package var schedule: RunSchedule

  package init(
    arrivals: ArrivalProcess, times: PlanTimes, rules: KeepingRules = KeepingRules(), capacity: Capacity? = nil,
    schedule: RunSchedule = RunSchedule()
  ) {
    self.arrivals = arrivals
    self.times = times
    self.rules = rules
    self.capacity = capacity
    self.schedule = schedule
  }

  /// Whether anything depends on when sessions end. Otherwise sessions are not simulated.
  package var needsSessions: Bool {
    capacity != nil || rules.keeper == .ecsService || rules.afterRelease == .recycle
  }

  /// How long a task of the pool is missing: until the start of the next one is done, and with an ECS service during the
  /// session before it too.
  var missing: LengthDistribution {
    rules.keeper == .pool ? times.taskStart : .sum([times.taskStart, times.assign, times.session])
  }

  private var occupied: LengthDistribution { .sum([times.session, times.assign, times.taskStart]) }

  /// The time in seconds after which it hardly shows that nobody was there when a run began: ten times a session with its
  /// assignment and its start, and more where these vary more than exponential lengths, because a run meets the longest
  /// of them last. Without a bound.
  package var secondsToSettle: Double { occupied.settling }

  /// Whether ``secondsToSettle`` is more than ten sessions with their assignments and starts.
  package var settlesSlowly: Bool { occupied.memory > 1 }

  /// The warm-up that a model with sessions should have: ``secondsToSettle``, but at most 10,000 h, about a year.
  package var settling: Nanoseconds { .seconds(min(secondsToSettle, 10_000 * 3600)) }
}

/// How long things take.
package struct PlanTimes: Sendable, Equatable {
  /// From the choice of a task to the task's `ready`: every user waits for it.
  package var assign: LengthDistribution
  /// From the order of a task, where an instance has room, until it is warm.
  package var taskStart: LengthDistribution
  /// From the order of an instance of the instance pool until it takes tasks.
  package var instanceWarm: LengthDistribution
  /// The same of an instance that must be created.
  package var instanceCold: LengthDistribution
  /// From `ready` to the end of the session.
  package var session: LengthDistribution

  package init(
    assign: LengthDistribution = .constant(.milliseconds(260)),
    taskStart: LengthDistribution = .constant(.seconds(10)),
    instanceWarm: LengthDistribution = .constant(.seconds(17)),
    instanceCold: LengthDistribution = .constant(.seconds(81)),
    session: LengthDistribution = .exponential(mean: .seconds(1800))
  ) {
    self.assign = assign
    self.taskStart = taskStart
    self.instanceWarm = instanceWarm
    self.instanceCold = instanceCold
    self.session = session
  }
}

/// By which rules warm tasks are kept, whatever their number.
package struct KeepingRules: Sendable, Equatable {
  /// Who starts tasks.
  package enum Keeper: String, Sendable, CaseIterable {
    /// The gateway's pool manager: an assigned task has left the pool, and is replaced at once.
    case pool
    /// An ECS service: an assigned task still counts, and is replaced when it has ended.
    case ecsService = "ecs-service"
  }

  /// What becomes of a user who finds no warm task.
  package enum Fallback: String, Sendable, CaseIterable {
    /// A task is started for this user alone.
    case ownStart = "own-start"
    /// The user waits for the next task, first come first served; the keeper is asked for one task more.
    case queue
    /// The same, but the keeper is not asked for more.
    case wait
    /// The user gets no task.
    case refuse
  }

  package enum AfterRelease: String, Sendable, CaseIterable {
    /// The session's task ends.
    case replace
    /// The session's task is warm again.
    case recycle
  }

  package enum Replenish: Sendable, Equatable {
    /// As soon as a task is missing.
    case onAcquire
    /// When the keeper looks, every so often.
    case every(Nanoseconds)
  }

  package var keeper = Keeper.pool
  package var fallback = Fallback.ownStart
  package var afterRelease = AfterRelease.replace
  package var replenish = Replenish.onAcquire
  /// Tasks are started when fewer than this are warm or starting; nil: when any is missing.
  package var threshold: Int?
  /// The most tasks that are warm or starting; nil: no bound.
  package var maxSize: Int?
  /// The most starts at one time; nil: no bound. Starts for users who wait for a task of their own go first.
  package var parallelStarts: Int?
  /// The time after which a warm task ends unused; nil: never.
  package var timeToLive: Nanoseconds?

  package init() {}
}

/// The instances on which tasks run.
package struct Capacity: Sendable, Equatable {
  /// When an instance is started before a task needs it.
  package enum ScaleOut: Sendable, Equatable {
    /// While fewer slots than this are free.
    case freeBelow(Int)
    /// While more than this share of the slots, 0…1, is held.
    case utilisationAbove(Double)
  }

  /// Tasks of one instance, from 1 to 10,000.
  package var slots: Int
  /// Instances at the beginning, and the fewest that are kept.
  package var fewest: Int
  /// The most instances that run or boot, at most 100,000; nil: no bound.
  package var most: Int?
  /// The time until a taken instance of the instance pool is replaced there.
  package var poolRefill: LengthDistribution
  package var scaleOut: ScaleOut?
  /// An instance that was empty for so long is stopped; nil: none is.
  package var scaleIn: Nanoseconds?

  package init(
    slots: Int, fewest: Int = 1, most: Int? = nil, poolRefill: LengthDistribution = .constant(.seconds(81)),
    scaleOut: ScaleOut? = nil, scaleIn: Nanoseconds? = nil
  ) {
    self.slots = slots
    self.fewest = fewest
    self.most = most
    self.poolRefill = poolRefill
    self.scaleOut = scaleOut
    self.scaleIn = scaleIn
  }

  /// The most tasks at one time; nil: no bound.
  package var mostTasks: Int? { most.map { $0 * slots } }
}

/// How long and how often is simulated.
package struct RunSchedule: Sendable, Equatable {
  /// The measured time of a run.
  package var horizon: Nanoseconds
  /// What goes before it, and is in no figure.
  package var warmup: Nanoseconds
  /// At least 1.
  package var runs: Int
  package var seed: UInt64

  package init(
    horizon: Nanoseconds = .seconds(8 * 3600), warmup: Nanoseconds = .seconds(2 * 3600), runs: Int = 20,
    seed: UInt64 = 0
  ) {
    self.horizon = horizon
    self.warmup = warmup
    self.runs = runs
    self.seed = seed
  }
}

/// A pool that is tried.
package struct Candidate: Sendable, Hashable {
  /// The warm tasks that are kept; with an ECS service all its tasks, those with users too.
  package var poolSize: Int
  /// The stopped instances that are kept.
  package var instancePool: Int

  package init(poolSize: Int, instancePool: Int = 0) {
    self.poolSize = poolSize
    self.instancePool = instancePool
  }
}
