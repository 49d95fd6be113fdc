import CProcess
import Glibc
import Synchronization

/// The one thread that starts and reaps children. It lives as long as the process, so that a child that dies with its
/// parent (`PR_SET_PDEATHSIG` follows the spawning *thread*) dies with the process and not with some pool's thread.
public final class ProcessKeeper: Sendable {
  /// The process' keeper; its thread starts with the first use.
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
  /// - Throws: ``SpawnError``; then nothing is left behind.
  public func spawn(_ request: ProcessRequest) async throws(SpawnError) -> ChildProcess {
    let result = await withCheckedContinuation { continuation in
      spawn(request) { continuation.resume(returning: $0) }
    }
    return try result.get()
  }

  /// Starts a child and calls `done` on the keeper's thread, which must not be kept waiting.
  public func spawn(_ request: ProcessRequest, done: @escaping @Sendable (Result<ChildProcess, SpawnError>) -> Void) {
    guard startError == 0 else { return done(.failure(SpawnError(.keeper, startError, request))) }
    orders.withLock { $0.append(Order(request: request, done: done)) }
    var one: UInt64 = 1
    _ = write(wakeUp, &one, MemoryLayout<UInt64>.size)
  }

  /// The thread's whole life.
  private func run() {
    // Signals are for the other threads; a handler here would only delay children.
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, nil)

    var children: [UInt64: ChildProcess] = [:]
    var nextKey = Self.wakeUpKey + 1
    var events = [epoll_event](repeating: epoll_event(), count: 64)
    while true {
      let count = epoll_wait(poll, &events, CInt(events.count), -1)
      for event in events.prefix(max(0, Int(count))) where event.data.u64 != Self.wakeUpKey {
        // The ended child's pidfd is closed by reaping, which also takes it off the epoll.
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

/// Ends whole process groups when this process is gone, even by SIGKILL: `PR_SET_PDEATHSIG` reaches a group's leader only,
/// not the processes that the leader has put into the background.
///
/// The guard is a process of its own, started with the first group, which sees this process' end as the end of a pipe. A
/// process that leaves its group (`setsid`) is beyond it.
final class ProcessGroupGuard: Sendable {
  static let shared = ProcessGroupGuard()

  /// -1 until the first group.
  private let pipe = Mutex<CInt>(-1)

  /// Guards a group from now on. Where the guard can't be started, the group's leader still dies with this process.
  func add(_ group: Int32) {
    pipe.withLock { pipe in
      if pipe < 0, cprocess_guard(&pipe) != 0 { return }
      Self.tell(group, pipe)
    }
  }

  /// To be called while the group's number is certainly still the group's: before its leader is reaped.
  func remove(_ group: Int32) {
    pipe.withLock { if $0 >= 0 { Self.tell(-group, $0) } }
  }

  /// Whole at once, being shorter than PIPE_BUF.
  private static func tell(_ number: Int32, _ pipe: CInt) {
    var number = number
    while write(pipe, &number, MemoryLayout<Int32>.size) < 0, errno == EINTR {}
  }
}
