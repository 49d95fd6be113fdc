import Latency

/// The instances of a simulation: which slots are held, and which instances boot or wait stopped in the instance pool.
///
/// A task goes to the fullest running instance with a free slot, so that other instances become empty and can be stopped.
/// Where no running instance has room it gets a slot of a booting instance, and where there is none either, an instance
/// is booted. A slot is held from the order of a start until the task has ended.
struct InstanceFleet {
  /// Where a task was placed.
  enum Placement {
    /// On an instance that runs.
    case running(Int)
    /// On an instance that boots; the task starts when the instance is ready.
    case booting(Int)
    /// There is no room, and no further instance may be booted.
    case none
  }

  /// An instance that was ordered.
  struct Boot {
    var instance: Int
    /// Whether it comes from the instance pool.
    var isWarm: Bool
  }

  private struct Instance {
    var held = 0
    var isRunning = false
    /// The instant at which a booting instance is ready.
    var readyAt: UInt64 = 0
    /// Since when a running instance has been empty; `.max` if it is not.
    var emptySince: UInt64 = .max
    /// The neighbours in the list of running instances with as many held slots; −1 at the ends.
    var previous = -1
    var next = -1
  }

  private let capacity: Capacity
  private var instances = ContiguousArray<Instance>()
  private var unused: [Int] = []
  /// By the number of held slots, the first instance that runs and has a free slot.
  private var firstByHeld: ContiguousArray<Int>
  private var bootingInstances: [Int] = []
  private(set) var runningCount = 0
  private(set) var heldSlots = 0
  /// Stopped instances in the instance pool.
  private(set) var stoppedCount: Int

  var bootingCount: Int { bootingInstances.count }
  /// Instances that are paid as running.
  var liveCount: Int { runningCount + bootingInstances.count }

  init(_ capacity: Capacity, instancePool: Int) {
    self.capacity = capacity
    stoppedCount = instancePool
    firstByHeld = ContiguousArray(repeating: -1, count: capacity.slots)
  }

  private var mayBoot: Bool { capacity.most.map { liveCount < $0 } ?? true }

  /// Adds an instance that runs, without a boot: those that are there when a run begins.
  mutating func addRunning(at now: UInt64) -> Int {
    let instance = makeInstance()
    instances[instance].isRunning = true
    instances[instance].emptySince = now
    runningCount += 1
    link(instance)
    return instance
  }

  /// Gives a slot to a task.
  ///
  /// - Parameter boot: decides when an ordered instance is ready, and schedules that.
  mutating func place(boot: (Boot) -> UInt64) -> Placement {
    for held in stride(from: capacity.slots - 1, through: 0, by: -1) where firstByHeld[held] >= 0 {
      let instance = firstByHeld[held]
      unlink(instance)
      instances[instance].held += 1
      instances[instance].emptySince = .max
      heldSlots += 1
      link(instance)
      return .running(instance)
    }
    guard let instance = soonestWithRoom ?? order(boot: boot) else { return .none }
    instances[instance].held += 1
    heldSlots += 1
    return .booting(instance)
  }

  /// The booting instance with a free slot that is ready first.
  private var soonestWithRoom: Int? {
    var soonest: Int?
    for instance in bootingInstances where instances[instance].held < capacity.slots {
      if soonest.map({ instances[instance].readyAt < instances[$0].readyAt }) ?? true { soonest = instance }
    }
    return soonest
  }

  /// Orders an instance; nil where no further one may be booted.
  private mutating func order(boot: (Boot) -> UInt64) -> Int? {
    guard mayBoot else { return nil }
    let instance = makeInstance()
    let isWarm = stoppedCount > 0
    if isWarm { stoppedCount -= 1 }
    bootingInstances.append(instance)
    instances[instance].readyAt = boot(Boot(instance: instance, isWarm: isWarm))
    return instance
  }

  /// Orders instances until the rule for scaling out is content.
  mutating func scaleOut(boot: (Boot) -> UInt64) {
    guard let rule = capacity.scaleOut else { return }
    while !isContent(rule, live: liveCount), order(boot: boot) != nil {}
  }

  private func isContent(_ rule: Capacity.ScaleOut, live: Int) -> Bool {
    let slots = live * capacity.slots
    return switch rule {
    case .freeBelow(let wanted): slots - heldSlots >= wanted
    case .utilisationAbove(let share): Double(heldSlots) <= share * Double(slots)
    }
  }

  /// A booting instance runs.
  mutating func becomeReady(_ instance: Int, at now: UInt64) {
    bootingInstances.removeAll { $0 == instance }
    instances[instance].isRunning = true
    instances[instance].emptySince = instances[instance].held == 0 ? now : .max
    runningCount += 1
    link(instance)
  }

  /// A task on this instance has ended; whether the instance is empty now.
  mutating func release(_ instance: Int, at now: UInt64) -> Bool {
    unlink(instance)
    instances[instance].held -= 1
    heldSlots -= 1
    let isEmpty = instances[instance].held == 0
    if isEmpty { instances[instance].emptySince = now }
    link(instance)
    return isEmpty
  }

  /// Stops an instance that has been empty for the whole time of the rule, unless it is needed; whether the instance may
  /// be stopped later and is to be looked at again.
  mutating func stopIfIdle(_ instance: Int, at now: UInt64, after length: UInt64) -> Bool {
    guard instances[instance].isRunning, instances[instance].emptySince <= now,
      now - instances[instance].emptySince >= length
    else { return false }
    guard liveCount > capacity.fewest,
      capacity.scaleOut.map({ isContent($0, live: liveCount - 1) }) ?? true
    else { return true }
    unlink(instance)
    instances[instance] = Instance()
    unused.append(instance)
    runningCount -= 1
    return false
  }

  /// An instance of the instance pool was replaced.
  mutating func refillPool() { stoppedCount += 1 }

  private mutating func makeInstance() -> Int {
    if let instance = unused.popLast() { return instance }
    instances.append(Instance())
    return instances.count - 1
  }

  private mutating func link(_ instance: Int) {
    let held = instances[instance].held
    guard held < capacity.slots else { return }
    let first = firstByHeld[held]
    instances[instance].previous = -1
    instances[instance].next = first
    if first >= 0 { instances[first].previous = instance }
    firstByHeld[held] = instance
  }

  private mutating func unlink(_ instance: Int) {
    let held = instances[instance].held
    guard held < capacity.slots else { return }
    let (previous, next) = (instances[instance].previous, instances[instance].next)
    if previous >= 0 { instances[previous].next = next } else { firstByHeld[held] = next }
    if next >= 0 { instances[next].previous = previous }
  }
}
