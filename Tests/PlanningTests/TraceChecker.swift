@testable import Planning

/// Keeps books of a simulation from its trace alone: it shares no state and no counter with it.
struct TraceChecker {
  /// Whether the trace has the ends of sessions. Without them a task's number may come again as soon as it is given.
  let hasSessions: Bool
  /// Nil without instances.
  let capacity: Capacity?

  init(_ model: PlanModel) {
    hasSessions = model.needsSessions
    capacity = model.capacity
  }

  private enum UserState { case here, served, refused }
  private enum TaskState { case starting, warm, used, released }

  private var users: [Int: UserState] = [:]
  private var tasks: [Int: TaskState] = [:]
  private(set) var arrivals: [Int: UInt64] = [:]
  /// When each user was given a task.
  private(set) var given: [Int: UInt64] = [:]
  private var userOfTask: [Int: Int] = [:]
  private var instanceOfTask: [Int: Int] = [:]
  /// By instance, the tasks on it; without instances that have none.
  private var held: [Int: Int] = [:]
  private(set) var mostOnAnInstance = 0
  /// How long each session lasted, its assignment included.
  private(set) var sessions: [Int: UInt64] = [:]
  private(set) var mostTasks = 0
  private(set) var mostStarting = 0
  private(set) var mostWarmOrStarting = 0
  private(set) var lastWarm: UInt64 = 0
  private(set) var mistakes: [String] = []
  private var latest: UInt64 = 0
  private var starting = 0
  private var warm = 0

  private mutating func expect(_ holds: Bool, _ mistake: @autoclosure () -> String) {
    if !holds, mistakes.count < 5 { mistakes.append(mistake()) }
  }

  private mutating func at(_ time: UInt64) {
    expect(time >= latest, "time runs backwards at \(time)")
    latest = time
  }

  mutating func take(_ event: SimulationTrace) {
    switch event {
    case .arrived(let user, let time):
      at(time)
      expect(users[user] == nil, "user \(user) comes twice")
      users[user] = .here
      arrivals[user] = time
    case .refused(let user, let time):
      at(time)
      expect(users[user] == .here, "user \(user) is refused and not here")
      users[user] = .refused
    case .started(let task, let instance, let time):
      at(time)
      expect(tasks[task] == nil, "task \(task) starts twice")
      tasks[task] = .starting
      starting += 1
      place(task, on: instance)
    case .warm(let task, let time):
      at(time)
      expect(tasks[task] == .starting || tasks[task] == .released, "task \(task) is warm out of turn")
      if tasks[task] == .starting { starting -= 1 }
      tasks[task] = .warm
      warm += 1
      lastWarm = time
    case .given(let task, let user, let time):
      at(time)
      expect(users[user] == .here, "user \(user) is served and not here")
      expect(tasks[task] == .warm || tasks[task] == .released, "task \(task) is given and not warm")
      if tasks[task] == .warm { warm -= 1 }
      users[user] = .served
      tasks[task] = hasSessions ? .used : nil
      userOfTask[task] = user
      given[user] = time
    case .released(let task, let time):
      at(time)
      expect(tasks[task] == .used, "task \(task) is released and not used")
      if let user = userOfTask[task], let begin = given[user] { sessions[user] = time - begin }
      tasks[task] = .released
    case .ended(let task, let time):
      at(time)
      expect(tasks[task] == .warm || tasks[task] == .released, "task \(task) ends and was never warm")
      if tasks[task] == .warm { warm -= 1 }
      tasks[task] = nil
      leave(task)
    }
    mostTasks = max(mostTasks, tasks.count)
    mostStarting = max(mostStarting, starting)
    mostWarmOrStarting = max(mostWarmOrStarting, starting + warm)
  }

  private mutating func place(_ task: Int, on instance: Int) {
    guard let capacity else {
      return expect(instance < 0, "task \(task) is on instance \(instance), and there is none")
    }
    expect(instance >= 0, "task \(task) has no slot")
    instanceOfTask[task] = instance
    let number = (held[instance] ?? 0) + 1
    held[instance] = number
    mostOnAnInstance = max(mostOnAnInstance, number)
    expect(number <= capacity.slots, "instance \(instance) has \(number) tasks and \(capacity.slots) slots")
    let instances = held.count
    if let most = capacity.most { expect(instances <= most, "\(instances) instances, and at most \(most)") }
  }

  private mutating func leave(_ task: Int) {
    guard let instance = instanceOfTask.removeValue(forKey: task), let number = held[instance] else { return }
    held[instance] = number > 1 ? number - 1 : nil
  }

  /// Arrivals of a time, and what became of them: served, of these at once, refused, still here.
  func counts(from: UInt64, to: UInt64) -> (arrivals: Int, served: Int, hits: Int, refused: Int, here: Int) {
    var counts = (arrivals: 0, served: 0, hits: 0, refused: 0, here: 0)
    for (user, time) in arrivals where time >= from && time < to {
      counts.arrivals += 1
      switch users[user] {
      case .served?:
        counts.served += 1
        if given[user] == time { counts.hits += 1 }
      case .refused?: counts.refused += 1
      default: counts.here += 1
      }
    }
    return counts
  }
}

extension PoolSimulation {
  /// Simulates a run of a model with a checker.
  static func checked(_ model: PlanModel, _ candidate: Candidate, run: Int = 0) -> (TraceChecker, RunRecord) {
    var checker = TraceChecker(model)
    var simulation = PoolSimulation(model, candidate, run: run, record: RunRecord(model.schedule))
    withUnsafeMutablePointer(to: &checker) { checker in
      simulation.trace = { checker.pointee.take($0) }
      simulation.simulate()
      simulation.trace = nil
    }
    return (checker, simulation.record)
  }
}
