import CLoop
import Glibc
import Latency
public import NIOCore
import NIOPosix
import Synchronization

/// A loop of our own for plain HTTP: one thread, one epoll, one queue of ready tasks. Nothing is allocated and no lock
/// is taken on the way of a request.
///
/// A turn of the loop waits for events, reads the sockets that have some (at most 64), runs the tasks that were waiting
/// for those answers, and serves the timers that are due. All answers of a turn are stamped before any of their users
/// runs, so that one user's work is not in the next one's latency.
public final class EpollLoop: LoopExecutor, @unchecked Sendable {
  // @unchecked: `state` is touched on the loop's thread only; `foreign` has a lock.

  private struct ReadyJob: Sendable {
    var job: UnownedJob
    var readyAt: Instant
  }

  /// What changes on the way of a request. It lies behind a pointer, because each access to a property of a class may
  /// be checked for exclusivity at run time.
  private struct State {
    /// The ready tasks.
    var jobs = ReadyQueue<ReadyJob>(capacity: 128)
    /// What has been read from sockets and was not looked at by its user.
    var received: UnsafeMutablePointer<UInt8>
    var receivedCount = 0
    /// When the last bytes had been read, while sockets are being read.
    var stamp = Instant.distantPast
    var isReading = false
    var isDraining = false
    /// While other work that has come due gets its turn among ready tasks: what it resumes runs before them.
    var isServing = false
    var timers = TimerHeap()
    /// What came from other threads, and work that came on the loop's own, in the order in which it came.
    var deferred: [Piece] = []
    /// Closed connections, which events of this turn may still name.
    var closed: [Unmanaged<PlainConnection>] = []
  }

  private enum Piece: Sendable {
    case job(ReadyJob)
    case work(@Sendable () -> Void)
  }

  /// What came from other threads.
  private struct Foreign {
    var pieces: [Piece] = []
    var hasWoken = false
  }

  private static let eventsPerTurn = 64
  /// The most that one read takes.
  static let readSize = 16 << 10
  private static let bufferSize = 64 << 10
  /// After this many tasks in a row, other work that has come due gets its turn.
  private static let share = 16
  /// After this many rounds of tasks the loop polls its sockets again.
  private static let roundsInARow = 16

  private let state: UnsafeMutablePointer<State>
  private let foreign = Mutex(Foreign())
  /// The kernel lists in `/proc/self/fdinfo` what it watches.
  let epoll: Int32
  private let wakeUp: Int32
  private let thread = Atomic<UInt>(0)
  private let companion = Mutex<(any EventLoop)?>(nil)
  /// Where a request is put together. The socket takes it at once, or its connection copies the rest.
  package let requestBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 << 10, alignment: 16)

  /// Starts the loop's thread, which lives as long as the process.
  public override init() {
    state = .allocate(capacity: 1)
    state.initialize(to: State(received: .allocate(capacity: Self.bufferSize)))
    epoll = cloop_epoll()
    wakeUp = cloop_eventfd()
    precondition(epoll >= 0 && wakeUp >= 0, "no event loop could be made: \(String(cString: strerror(errno)))")
    super.init()
    cloop_watch(epoll, wakeUp, nil)
    start()
  }

  private func start() {
    var id = pthread_t()
    let own = Unmanaged.passRetained(self)
    let error = pthread_create(
      &id, nil,
      { context in
        if let context { Unmanaged<EpollLoop>.fromOpaque(context).takeUnretainedValue().run() }
        return nil
      }, own.toOpaque())
    precondition(error == 0, "no thread could be started: \(String(cString: strerror(error)))")
  }

  // MARK: From any thread

  public override var isCurrent: Bool { UInt(cloop_thread()) == thread.load(ordering: .relaxed) }

  public override func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    guard isCurrent else {
      let ready = ReadyJob(job: job, readyAt: MonotonicClock.now())
      return wake(with: .job(ready))
    }
    push(ReadyJob(job: job, readyAt: state.pointee.isReading ? state.pointee.stamp : MonotonicClock.now()))
  }

  public override func execute(_ work: @escaping @Sendable () -> Void) {
    if isCurrent { state.pointee.deferred.append(.work(work)) } else { wake(with: .work(work)) }
  }

  /// Adds something for the loop, and ends its wait unless that was done already.
  private func wake(with piece: Piece) {
    let isFirst = foreign.withLock { foreign in
      foreign.pieces.append(piece)
      defer { foreign.hasWoken = true }
      return !foreign.hasWoken
    }
    guard isFirst else { return }
    var one: UInt64 = 1
    while write(wakeUp, &one, 8) < 0, errno == EINTR {}
  }

  /// The loop of NIO that carries this executor's TLS connections and WebSockets, on a thread of its own. Their answers
  /// come to this loop's tasks with a change of threads: users who have many of them belong on a ``NIOLoop``.
  public override var eventLoop: any EventLoop {
    companion.withLock { companion in
      let loop = companion ?? MultiThreadedEventLoopGroup.singleton.next()
      companion = loop
      return loop
    }
  }

  // MARK: On the loop

  public override func makeTimer(_ work: @escaping () -> Void) -> LoopTimer { EpollTimer(self, work) }

  func put(_ timer: EpollTimer, for instant: Instant) { state.pointee.timers.put(timer, for: instant) }

  func remove(_ timer: EpollTimer) { state.pointee.timers.remove(timer) }

  public override func drainNow() {
    precondition(isCurrent, "the ready tasks of a loop run on its thread")
    drain()
  }

  /// Watches a connection's socket, and keeps the connection, until ``forget(_:)``; false where the kernel refuses, with
  /// `errno`.
  func watch(_ connection: PlainConnection) -> Bool {
    let kept = Unmanaged.passRetained(connection)
    if cloop_watch(epoll, connection.descriptor, kept.toOpaque()) == 0 { return true }
    kept.release()
    return false
  }

  /// Lets a connection go whose socket has been closed, once no event of this turn can name it.
  func forget(_ connection: PlainConnection) { state.pointee.closed.append(Unmanaged.passUnretained(connection)) }

  /// Room for one read. Where it is scarce, the users whose answers take it run first.
  func makeRoom() -> UnsafeMutableRawBufferPointer {
    if state.pointee.receivedCount + Self.readSize > Self.bufferSize {
      let wasReading = state.pointee.isReading
      state.pointee.isReading = false
      drain()
      state.pointee.isReading = wasReading
      // While tasks are being run, the answers that they have not read are still in the buffer.
      if state.pointee.receivedCount + Self.readSize > Self.bufferSize { return .init(start: nil, count: 0) }
    }
    return .init(start: state.pointee.received + state.pointee.receivedCount, count: Self.readSize)
  }

  /// Notes when bytes had been read: the tasks that are resumed from now on were free from then on.
  func didRead(at instant: Instant) { state.pointee.stamp = instant }

  /// Keeps the bytes of the last read until its user has run.
  func keepRead(_ count: Int) { state.pointee.receivedCount += count }

  private func push(_ job: ReadyJob) {
    if state.pointee.isServing { state.pointee.jobs.prepend(job) } else { state.pointee.jobs.append(job) }
  }

  /// Runs the ready tasks. Those that they make ready run in later rounds.
  private func drain() {
    guard !state.pointee.isDraining else { return }
    state.pointee.isDraining = true
    let executor = asUnownedTaskExecutor()
    var (round, count) = (0, 0)
    while !state.pointee.jobs.isEmpty, round < Self.roundsInARow {
      let end = state.pointee.jobs.end
      while state.pointee.jobs.start != end {
        let ready = state.pointee.jobs.removeFirst()
        readySince = ready.readyAt
        ready.job.runSynchronously(on: executor)
        count &+= 1
        if count % Self.share == 0, let betweenBatches {
          state.pointee.isServing = true
          betweenBatches()
          state.pointee.isServing = false
        }
      }
      // Nothing is read while tasks run, so all that had been read was looked at.
      state.pointee.receivedCount = 0
      round += 1
    }
    state.pointee.isDraining = false
  }

  private func run() {
    thread.store(UInt(cloop_thread()), ordering: .relaxed)
    cloop_prepare_thread()
    let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: Self.eventsPerTurn)
    while true {
      let count = cloop_wait(epoll, events, Int32(Self.eventsPerTurn), waitLength())
      if count > 0 { read(events, Int(count)) }
      if !state.pointee.deferred.isEmpty { runDeferred() }
      drain()
      if let next = state.pointee.timers.next, next <= MonotonicClock.now() { fireTimers() }
      if !state.pointee.closed.isEmpty { forgetClosed() }
    }
  }

  /// How long the loop may wait for events, in ns; negative: for ever.
  private func waitLength() -> Int64 {
    if !state.pointee.jobs.isEmpty || !state.pointee.deferred.isEmpty { return 0 }
    guard let next = state.pointee.timers.next else { return -1 }
    return Int64(clamping: next.elapsed(since: MonotonicClock.now()).nanoseconds)
  }

  private func read(_ events: UnsafeMutablePointer<epoll_event>, _ count: Int) {
    state.pointee.isReading = true
    for index in 0..<count {
      let number = Int32(index)
      guard let context = cloop_context(events, number) else {
        takeForeign()
        continue
      }
      Unmanaged<PlainConnection>.fromOpaque(context)._withUnsafeGuaranteedRef {
        $0.ready(
          canRead: cloop_is_readable(events, number), hasEnded: cloop_has_ended(events, number),
          canWrite: cloop_is_writable(events, number))
      }
    }
    state.pointee.isReading = false
  }

  private func takeForeign() {
    var count: UInt64 = 0
    _ = Glibc.read(wakeUp, &count, 8)
    let taken = foreign.withLock { foreign in
      defer { foreign = Foreign() }
      return foreign
    }
    state.pointee.deferred += taken.pieces
  }

  private func fireTimers() {
    let now = MonotonicClock.now()
    while let timer = state.pointee.timers.takeDue(at: now) { timer.work() }
    drain()
  }

  private func forgetClosed() {
    let closed = state.pointee.closed
    state.pointee.closed = []
    for connection in closed { connection.release() }
  }

  private func runDeferred() {
    let pieces = state.pointee.deferred
    state.pointee.deferred = []
    for piece in pieces {
      switch piece {
      case .job(let job): push(job)
      case .work(let work):
        // A task that became ready before this work was given runs before it.
        drain()
        work()
      }
    }
  }
}
