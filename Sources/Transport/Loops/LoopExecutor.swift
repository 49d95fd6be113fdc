public import Latency
public import NIOCore

/// Runs Swift tasks on the thread of one event loop, so that awaiting I/O costs no thread hop.
///
/// Give it to `addTask(executorPreference:)`; unstructured tasks do not inherit it.
public final class LoopExecutor: TaskExecutor, @unchecked Sendable {
  // @unchecked: every mutable property is touched on the event loop's thread only.

  private struct Job {
    var job: UnownedJob
    var readyAt: Instant
  }

  /// The loop whose thread runs the tasks.
  public let eventLoop: any EventLoop
  /// When the job that is running was made ready: the answer that its task waited for had been read, or its timer had
  /// fired. However late the loop comes to the task after that, the task's user was free from then on. Only in a task
  /// on the loop.
  public private(set) var readySince = Instant.distantPast
  /// How long this loop's thread has spun in all because it was asked to: no work, and CPU time. Only on the loop.
  public var spunFor = Nanoseconds.zero
  /// What else is due now and then, such as the next start of a schedule: called after each share of a large batch of
  /// answers. Only on the loop.
  public var betweenBatches: (() -> Void)?

  private var queue: [Job] = []
  private var batch: [Job] = []
  private var isDraining = false
  private var isDrainScheduled = false

  /// After so many batches in one go the loop looks at its sockets again.
  private static let batchesInARow = 16
  /// How many answers are read in one go before the users who waited for them run. A loop that reads thousands of answers
  /// first keeps their users, and the starts that come due meanwhile, waiting for tens of ms; one that runs each user at
  /// once makes the stamps of the answers behind it late. This many take half a millisecond of both at most.
  private static let share = 16

  /// Makes an executor over `eventLoop`, which must outlive every task given to it.
  public init(_ eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
  }

  /// Takes a job from any thread.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = Job(job: UnownedJob(job), readyAt: MonotonicClock.now())
    guard eventLoop.inEventLoop else {
      eventLoop.execute {
        self.queue.append(job)
        self.drain()
      }
      return
    }
    queue.append(job)
    scheduleDrain()
  }

  /// Returns after `length` by the loop's own timer, or soon after the task is cancelled; the task is resumed once, on
  /// the loop.
  public func sleep(for length: Nanoseconds) async {
    let timer = NIOLoopBoundBox.makeBoxSendingValue(LoopTimer(), eventLoop: eventLoop)
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        if eventLoop.inEventLoop {
          timer.value.start(continuation, length, on: eventLoop)
        } else {
          eventLoop.execute { timer.value.start(continuation, length, on: self.eventLoop) }
        }
      }
    } onCancel: {
      eventLoop.execute { timer.value.end() }
    }
  }

  /// Runs the tasks that are due at once instead of after the sockets: for a timer of the loop that has just resumed
  /// tasks. Only on the loop; does nothing when called by such a task, as those are being run already.
  public func drainNow() {
    eventLoop.preconditionInEventLoop()
    drain()
  }

  /// To be called after each answer that was read, when its handler is done with it: runs the users of a share of a large
  /// batch before the next answer is read. Only on the loop.
  public func didRead() {
    guard queue.count >= Self.share, !isDraining else { return }
    drain()
    betweenBatches?()
  }

  /// Runs what is due: after a share of the sockets that are ready now has been read, so that what one task does with its
  /// answer does not delay the stamps of the others'.
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
    eventLoop.execute {
      self.isDrainScheduled = false
      self.drain()
    }
  }
}
