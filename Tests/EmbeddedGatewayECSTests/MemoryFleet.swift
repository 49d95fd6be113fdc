import EmbeddedGateway
import Synchronization

/// A fleet that is nothing but a list: tasks change their state only when a test or an operation says so.
final class MemoryFleet: TaskFleet {
  private struct State {
    var service: FleetService
    var tasks: [FleetTask] = []
    var nextID = 1
  }

  static let capacity = 300
  private let state: Mutex<State>

  init(runningTasks: Int = 0) {
    let service = FleetService(
      clusterName: "pool", name: "warm", family: "shell", region: "eu-west-1", deploymentID: "ecs-svc/1234",
      desiredCount: runningTasks, createdAt: 1_770_000_000.5)
    state = Mutex(State(service: service))
    for _ in 0..<runningTasks { add(.running) }
  }

  /// Adds a task of the service.
  @discardableResult
  func add(
    _ status: FleetTask.Status, desired: FleetTask.DesiredStatus = .running, group: String = "service:warm",
    startedBy: String = "ecs-svc/1234"
  ) -> FleetTask {
    state.withLock { state in
      let id = String(state.nextID + 0x1000_0000, radix: 16)
      state.nextID += 1
      var task = FleetTask(arn: state.service.taskARN(id: id), taskID: id, group: group, startedBy: startedBy)
      task.lastStatus = status
      task.desiredStatus = desired
      if status != .provisioning { task.createdAt = 1_770_000_001.25 }
      if status == .running { task.startedAt = 1_770_000_003.75 }
      state.tasks.append(task)
      return task
    }
  }

  /// Takes a task to another state.
  func set(_ id: String, to status: FleetTask.Status) {
    state.withLock { state in
      guard let index = state.tasks.firstIndex(where: { $0.taskID == id }) else { return }
      state.tasks[index].lastStatus = status
      if status == .running { state.tasks[index].startedAt = 1_770_000_003.75 }
    }
  }

  func tasks() async -> [FleetTask] { state.withLock { $0.tasks } }

  func service() async -> FleetService {
    state.withLock { state in
      var service = state.service
      service.runningCount = state.tasks.count { $0.lastStatus == .running }
      service.pendingCount = state.tasks.count { $0.lastStatus == .provisioning || $0.lastStatus == .pending }
      return service
    }
  }

  func stopTask(id: String, reason: String) async -> FleetTask? {
    state.withLock { state in
      guard let index = state.tasks.firstIndex(where: { $0.taskID == id }) else { return nil }
      state.tasks[index].desiredStatus = .stopped
      state.tasks[index].lastStatus = .stopping
      state.tasks[index].stoppedReason = reason
      return state.tasks[index]
    }
  }

  func runTasks(count: Int, startedBy: String, group: String) async -> [FleetTask] {
    let room = MemoryFleet.capacity - state.withLock { $0.tasks.count }
    return (0..<min(count, max(0, room))).map { _ in add(.provisioning, group: group, startedBy: startedBy) }
  }

  func setDesiredCount(_ count: Int) async -> FleetService? {
    guard count <= MemoryFleet.capacity else { return nil }
    state.withLock { $0.service.desiredCount = count }
    return await service()
  }
}

/// A fleet of which some tasks stop right before each listing.
final class StoppingFleet: TaskFleet {
  let fleet: MemoryFleet
  private let listings = Mutex(0)
  private let stops: @Sendable (Int) -> [Int]

  /// - Parameter stops: positions of the tasks that stop before the listing of that number, from 0.
  init(_ fleet: MemoryFleet, stops: @escaping @Sendable (Int) -> [Int]) {
    self.fleet = fleet
    self.stops = stops
  }

  func tasks() async -> [FleetTask] {
    let listing = listings.withLock { number in
      defer { number += 1 }
      return number
    }
    let tasks = await fleet.tasks()
    for position in stops(listing) { _ = await fleet.stopTask(id: tasks[position].taskID, reason: "test") }
    return await fleet.tasks()
  }

  func service() async -> FleetService { await fleet.service() }

  func stopTask(id: String, reason: String) async -> FleetTask? { await fleet.stopTask(id: id, reason: reason) }

  func runTasks(count: Int, startedBy: String, group: String) async -> [FleetTask] {
    await fleet.runTasks(count: count, startedBy: startedBy, group: group)
  }

  func setDesiredCount(_ count: Int) async -> FleetService? { await fleet.setDesiredCount(count) }
}
