import CProcess
import Glibc
import Synchronization

/// The thread that starts and reaps all children. `PR_SET_PDEATHSIG` kills a child when the *thread* that spawned it
/// ends. So this thread lives as long as the process, and children die with the process, not with a thread of a pool.
public final class ProcessKeeper: Sendable {
  /// The keeper of this process; its thread starts with the first use.
  public static let shared = ProcessKeeper()

  private struct Order: Sendable {
    let request: ProcessRequest
    let done: @Sendable (Result<ChildProcess, SpawnError>) -> Void
  }
  private let orders = Mutex<[Order]>([])
  private let wakeUp: CInt
  private let poll: CInt
  private let startError: Int32
  private static let wakeUpKey: UInt64 = 0

  private init() {
    wakeUp = eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
    poll = epoll_create1(CInt(EPOLL_CLOEXEC))
    guard wakeUp >= 0, poll >= 0 else {
      startError = errno
      return
    }
    var event = epoll_event()
    event.events = EPOLLIN.rawValue
    event.data.u64 = Self.wakeUpKey
    guard epoll_ctl(poll, EPOLL_CTL_ADD, wakeUp, &event) == 0 else {
      startError = errno
      return
    }
    var thread = pthread_t()
    startError = pthread_create(
      &thread, nil,
      { _ in
        ProcessKeeper.shared.run()
        return nil
      }, nil)
    if startError == 0 { pthread_detach(thread) }
  }

  /// Starts a child.
  ///
  /// - Throws: ``SpawnError`` if the child could not be started. No process and no descriptor is left then.
  public func spawn(_ request: ProcessRequest) async throws(SpawnError) -> ChildProcess {
    let result = await withCheckedContinuation { continuation in
      spawn(request) { continuation.resume(returning: $0) }
    }
    return try result.get()
  }

  /// Starts a child and calls `done` on the keeper's thread. `done` must not block.
  public func spawn(_ request: ProcessRequest, done: @escaping @Sendable (Result<ChildProcess, SpawnError>) -> Void) {
    guard startError == 0 else { return done(.failure(SpawnError(.keeper, startError, request))) }
    orders.withLock { $0.append(Order(request: request, done: done)) }
    var one: UInt64 = 1
    _ = write(wakeUp, &one, MemoryLayout<UInt64>.size)
  }

  /// The thread's work.
  private func run() {
    // Other threads handle signals; a handler on this thread would delay children.
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, nil)

    var children: [UInt64: ChildProcess] = [:]
    var nextKey = Self.wakeUpKey + 1
    var events = [epoll_event](repeating: epoll_event(), count: 64)
    while true {
      let count = epoll_wait(poll, &events, CInt(events.count), -1)
      for event in events.prefix(max(0, Int(count))) where event.data.u64 != Self.wakeUpKey {
        // Reaping closes the child's pidfd, which also removes it from the epoll.
        if children[event.data.u64]?.reap() == true { children[event.data.u64] = nil }
      }
      var ignored: UInt64 = 0
      _ = read(wakeUp, &ignored, MemoryLayout<UInt64>.size)
      let due = orders.withLock { orders in
        defer { orders.removeAll() }
        return orders
      }
      for order in due {
        let result = start(order.request, key: nextKey)
        if case .success(let child) = result {
          children[nextKey] = child
          nextKey += 1
        }
        order.done(result)
      }
    }
  }

  private func start(_ request: ProcessRequest, key: UInt64) -> Result<ChildProcess, SpawnError> {
    Result { () throws(SpawnError) in
      let (child, pidfd) = try Spawning.start(request)
      var event = epoll_event()
      event.events = EPOLLIN.rawValue
      event.data.u64 = key
      guard epoll_ctl(poll, EPOLL_CTL_ADD, pidfd, &event) == 0 else {
        let error = SpawnError(.watch, errno, request)
        child.signalGroup(SIGKILL)
        while !child.reap() { usleep(1000) }
        throw error
      }
      return child
    }
  }
}

/// Ends whole process groups when this process ends, even by SIGKILL. It is needed because `PR_SET_PDEATHSIG` reaches
/// only a group's leader, not the leader's background processes.
///
/// The guard is a process of its own, started with the first group; it sees this process' end as the end of a pipe. It
/// cannot reach a process that leaves its group (`setsid`).
final class ProcessGroupGuard: Sendable {
  static let shared = ProcessGroupGuard()

  /// The pipe to the guard; -1 until the first group.
  private let pipe = Mutex<CInt>(-1)

  /// Guards a group from now on. If the guard cannot be started, the group's leader still dies with this process.
  func add(_ group: Int32) {
    pipe.withLock { pipe in
      if pipe < 0, cprocess_guard(&pipe) != 0 { return }
      Self.tell(group, pipe)
    }
  }

  /// Stops guarding a group. Call it before the group's leader is reaped, because the group's number may be reused
  /// afterwards.
  func remove(_ group: Int32) {
    pipe.withLock { if $0 >= 0 { Self.tell(-group, $0) } }
  }

  /// Writes a number to the guard. The write is atomic, because it is shorter than PIPE_BUF.
  private static func tell(_ number: Int32, _ pipe: CInt) {
    var number = number
    while write(pipe, &number, MemoryLayout<Int32>.size) < 0, errno == EINTR {}
  }
}
