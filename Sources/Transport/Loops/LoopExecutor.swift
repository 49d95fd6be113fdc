public import NIOCore

/// Runs Swift tasks on the thread of one event loop, so that awaiting I/O costs no thread hop.
///
/// Give it to `addTask(executorPreference:)`; unstructured tasks do not inherit it.
public final class LoopExecutor: TaskExecutor, @unchecked Sendable {
  // @unchecked: every mutable property is touched on the event loop's thread only.

  /// The loop whose thread runs the tasks.
  public let eventLoop: any EventLoop

  private var queue: [UnownedJob] = []
  private var batch: [UnownedJob] = []
  private var isDraining = false
  private var isDrainScheduled = false

  /// After so many batches in one go the loop looks at its sockets again.
  private static let batchesInARow = 16

  /// Makes an executor over `eventLoop`, which must outlive every task given to it.
  public init(_ eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
  }

  /// Takes a job from any thread.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
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

  /// Returns after `nanoseconds` by the loop's own timer, or soon after the task is cancelled; the task is resumed once,
  /// on the loop.
  public func sleep(nanoseconds: UInt64) async {
    let timer = NIOLoopBoundBox.makeBoxSendingValue(LoopTimer(), eventLoop: eventLoop)
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        if eventLoop.inEventLoop {
          timer.value.start(continuation, nanoseconds, on: eventLoop)
        } else {
          eventLoop.execute { timer.value.start(continuation, nanoseconds, on: self.eventLoop) }
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

  /// Runs what is due: after the sockets that are ready now have been read, so that what one task does with its answer
  /// does not delay the stamps of the others'.
  private func drain() {
    guard !isDraining else { return }
    isDraining = true
    let executor = asUnownedTaskExecutor()
    var batches = 0
    while !queue.isEmpty, batches < Self.batchesInARow {
      swap(&queue, &batch)
      for job in batch { job.runSynchronously(on: executor) }
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
