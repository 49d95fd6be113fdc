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
/// Unstructured tasks do not inherit the executor. There are two kinds of loops, which ``LoopGroup`` makes:
/// ``EpollLoop`` for plain HTTP, and ``NIOLoop`` for TLS and WebSockets.
public class LoopExecutor: TaskExecutor, @unchecked Sendable {
  // @unchecked: every mutable property is touched on the loop's thread only.

  /// When the running job became ready: its task's answer had been read, or its timer had fired. The task's user was
  /// free from then on, however late the loop runs the task. Read it only in a task on the loop.
  public internal(set) final var readySince = Instant.distantPast
  /// The total time for which this loop's thread has spun on request: it costs CPU time but is no work. Use it only on
  /// the loop.
  public final var spunFor = Nanoseconds.zero
  /// Called after each share of a large batch of ready tasks, for other work that may have come due, such as the next
  /// start of a schedule. Use it only on the loop.
  public final var betweenBatches: (() -> Void)?

  init() {}

  /// Takes a job from any thread.
  public func enqueue(_ job: consuming ExecutorJob) { preconditionFailure("each kind of loop has its own queue") }

  /// Whether the caller runs on the loop's thread.
  public var isCurrent: Bool { preconditionFailure("each kind of loop has its own thread") }

  /// Runs `work` on the loop's thread, after what the loop does at the moment. Callable from any thread.
  public func execute(_ work: @escaping @Sendable () -> Void) { preconditionFailure("each kind of loop has its own") }

  /// A timer of this loop, which calls `work` on the loop each time that it fires. Call it on the loop.
  public func makeTimer(_ work: @escaping () -> Void) -> LoopTimer { preconditionFailure("each kind has its own") }

  /// Runs the ready tasks now instead of after the sockets. A timer of the loop calls it after it has resumed tasks.
  /// Call it only on the loop; a call from a task that this executor runs does nothing, because the ready tasks are
  /// being run already.
  public func drainNow() { preconditionFailure("each kind of loop has its own queue") }

  /// Runs the users of a share of a large batch of answers before the next answer is read. A channel handler of
  /// ``eventLoop`` calls it, only on the loop, when it is done with an answer that it has read.
  public func didRead() {}

  /// NIO's loop for this executor's TLS connections and WebSockets. It is the executor's own thread for ``NIOLoop``,
  /// and another one for ``EpollLoop``.
  public var eventLoop: any EventLoop { preconditionFailure("each kind of loop has its own") }

  /// Runs `work` on the loop and returns its value.
  public final func submit<T: Sendable>(_ work: @escaping @Sendable () -> T) async -> T {
    await withUnsafeContinuation { continuation in execute { continuation.resume(returning: work()) } }
  }

  /// Runs `work` on the loop once, after `delay`. Callable from any thread.
  public final func execute(after delay: Nanoseconds, _ work: @escaping @Sendable () -> Void) {
    guard delay > .zero else { return execute(work) }
    let instant = MonotonicClock.now() + delay
    // A timer that is set is kept by its loop.
    execute { self.makeTimer(work).set(for: instant) }
  }

  /// Returns after `length` by the loop's own timer, or soon after the task is cancelled. The task is resumed on the
  /// loop.
  public final func sleep(for length: Nanoseconds) async {
    let sleep = LoopSleep()
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        if isCurrent {
          sleep.begin(continuation, length, on: self)
        } else {
          execute { sleep.begin(continuation, length, on: self) }
        }
      }
    } onCancel: {
      execute { sleep.end() }
    }
  }
}
