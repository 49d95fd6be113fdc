import Latency
public import NIOCore

/// A loop on the thread of an event loop of SwiftNIO, for TLS connections and WebSockets, which NIO carries.
public final class NIOLoop: LoopExecutor, @unchecked Sendable {
  // @unchecked: every mutable property is touched on the event loop's thread only.

  private struct Job {
    var job: UnownedJob
    var readyAt: Instant
  }

  private let loop: any EventLoop
  private var queue: [Job] = []
  private var batch: [Job] = []
  private var isDraining = false
  private var isDrainScheduled = false

  /// After this many batches in a row the loop polls its sockets again.
  private static let batchesInARow = 16
  /// How many answers are read in a row before the users who waited for them run. Problem: a loop that reads thousands
  /// of answers first delays their users, and the starts that come due meanwhile, by tens of ms; a loop that runs each
  /// user at once stamps the following answers late. With a share of 16 both delays stay below half a millisecond.
  private static let share = 16

  /// Makes an executor for `eventLoop`, which must outlive all tasks given to it.
  public init(_ eventLoop: any EventLoop) {
    loop = eventLoop
  }

  public override var eventLoop: any EventLoop { loop }

  public override var isCurrent: Bool { loop.inEventLoop }

  public override func execute(_ work: @escaping @Sendable () -> Void) { loop.execute(work) }

  public override func enqueue(_ job: consuming ExecutorJob) {
    let job = Job(job: UnownedJob(job), readyAt: MonotonicClock.now())
    guard loop.inEventLoop else {
      loop.execute {
        self.queue.append(job)
        self.drain()
      }
      return
    }
    queue.append(job)
    scheduleDrain()
  }

  public override func makeTimer(_ work: @escaping () -> Void) -> LoopTimer { NIOTimer(loop, work) }

  public override func drainNow() {
    loop.preconditionInEventLoop()
    drain()
  }

  public override func didRead() {
    guard queue.count >= Self.share, !isDraining else { return }
    drain()
    betweenBatches?()
  }

  /// Runs the ready tasks. It is called after a share of the ready sockets has been read, so that the work of one task
  /// does not delay the stamps of other tasks' answers.
  private func drain() {
    guard !isDraining else { return }
    isDraining = true
    let executor = asUnownedTaskExecutor()
    var batches = 0
    while !queue.isEmpty, batches < Self.batchesInARow {
      swap(&queue, &batch)
      for job in batch {
        readySince = job.readyAt
        job.job.runSynchronously(on: executor)
      }
      batch.removeAll(keepingCapacity: true)
      batches += 1
    }
    isDraining = false
    if !queue.isEmpty { scheduleDrain() }
  }

  private func scheduleDrain() {
    guard !isDraining, !isDrainScheduled else { return }
    isDrainScheduled = true
    loop.execute {
      self.isDrainScheduled = false
      self.drain()
    }
  }
}

/// A timer of a ``NIOLoop``.
private final class NIOTimer: LoopTimer {
  private let loop: any EventLoop
  private let work: () -> Void
  private var scheduled: (firesAt: Instant, timer: Scheduled<Void>)?

  init(_ loop: any EventLoop, _ work: @escaping () -> Void) {
    self.loop = loop
    self.work = work
  }

  override var firesAt: Instant? { scheduled?.firesAt }

  override func set(for instant: Instant) {
    scheduled?.timer.cancel()
    let timer = loop.assumeIsolated().scheduleTask(deadline: NIODeadline(instant)) {
      self.scheduled = nil
      self.work()
    }
    scheduled = (instant, timer)
  }

  override func cancel() {
    scheduled?.timer.cancel()
    scheduled = nil
  }
}
