/// The tasks of a simulation by number. A number is used again once its task has ended, so nothing is allocated once
/// there have been as many tasks as there will be at one time.
struct TaskRecords {
  struct Record {
    /// The user for whom it was started.
    var user: PoolSimulation.User?
    /// Whether it was started for one user, and so is no task of the keeper.
    var isOwn = false
    /// −1 without instances.
    var instance = -1
    /// The next task that waits for the same instance; −1 for none.
    fileprivate var next = -1
  }

  private var records = ContiguousArray<Record>()
  private var unused = ContiguousArray<Int>()
  /// By instance, the first and the last task that waits for it.
  private var waitingFirst = ContiguousArray<Int>()
  private var waitingLast = ContiguousArray<Int>()

  subscript(task: Int) -> Record {
    get { records[task] }
    _modify { yield &records[task] }
  }

  mutating func make(user: PoolSimulation.User?) -> Int {
    let record = Record(user: user, isOwn: user != nil)
    guard let task = unused.popLast() else {
      records.append(record)
      return records.count - 1
    }
    records[task] = record
    return task
  }

  mutating func remove(_ task: Int) { unused.append(task) }

  /// A task waits until its instance is ready.
  mutating func append(_ task: Int, toInstance instance: Int) {
    while waitingFirst.count <= instance {
      waitingFirst.append(-1)
      waitingLast.append(-1)
    }
    if waitingFirst[instance] < 0 {
      waitingFirst[instance] = task
    } else {
      records[waitingLast[instance]].next = task
    }
    waitingLast[instance] = task
  }

  mutating func popFirst(ofInstance instance: Int) -> Int? {
    guard instance < waitingFirst.count, waitingFirst[instance] >= 0 else { return nil }
    let task = waitingFirst[instance]
    waitingFirst[instance] = records[task].next
    records[task].next = -1
    return task
  }
}

/// What happened in a simulation, for tests that keep books of their own.
enum SimulationTrace: Equatable {
  case arrived(user: Int, at: UInt64)
  /// A task was ordered and has its slot on an instance, whose number is −1 without instances.
  case started(task: Int, instance: Int, at: UInt64)
  /// A task is warm: its start is done, or its session has ended and it goes back.
  case warm(task: Int, at: UInt64)
  case given(task: Int, user: Int, at: UInt64)
  case refused(user: Int, at: UInt64)
  /// The session has ended.
  case released(task: Int, at: UInt64)
  /// The task has ended, and its slot is free.
  case ended(task: Int, at: UInt64)
}
