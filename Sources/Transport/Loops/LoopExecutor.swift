public import Latency
public import NIOCore

/// Runs Swift tasks on the thread of one event loop, so that awaiting I/O costs no change of threads.
///
/// ```swift
/// let loops = LoopGroup(threads: 2)
/// await withTaskGroup(of: Void.self) { group in
///   for number in 1...50 {
///     let executor = loops.executor(forUser: number)
///     group.addTask(executorPreference: executor) {
///       await executor.sleep(for: .milliseconds(10))  // by the loop's timer, resumed on its thread
///       // … exchange requests on connections of this executor
///     }
///   }
/// }
/// ```
///
/// Unstructured tasks do not inherit the executor.
public final class LoopExecutor: TaskExecutor, @unchecked Sendable {
  // @unchecked: every mutable property is touched on the event loop's thread only.

  private struct Job {
    var job: UnownedJob
    var readyAt: Instant
  }

  /// The loop whose thread runs the tasks.
  public let eventLoop: any EventLoop
  /// When the running job became ready: its task's answer had been read, or its timer had fired. The task's user was
  /// free from then on, however late the loop runs the task. Read it only in a task on the loop.
  public private(set) var readySince = Instant.distantPast
  /// The total time for which this loop's thread has spun on request: it costs CPU time but is no work. Use it only on
  /// the loop.
  public var spunFor = Nanoseconds.zero
  /// Called after each share of a large batch of answers, for other work that may have come due, such as the next start
  /// of a schedule. Use it only on the loop.
  public var betweenBatches: (() -> Void)?

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

  /// Returns after `length` by the loop's own timer, or soon after the task is cancelled. The task is resumed on the
  /// loop.
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

  /// Runs the ready tasks now instead of after the sockets. A timer of the loop calls it after it has resumed tasks.
  /// Call it only on the loop; a call from a task that this executor runs does nothing, because the ready tasks are
  /// being run already.
  public func drainNow() {
    eventLoop.preconditionInEventLoop()
    drain()
  }

  /// Runs the users of a share of a large batch of answers before the next answer is read. A handler calls it, only on
  /// the loop, when it is done with an answer that it has read.
  public func didRead() {
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
    eventLoop.execute {
      self.isDrainScheduled = false
      self.drain()
    }
  }
}
