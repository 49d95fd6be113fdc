import Glibc
import Synchronization

/// One of several concurrent writers, each on a thread of its own.
public struct ParallelWriter: Sendable {
  /// The writer's index, from 0.
  public let index: Int
  fileprivate let line: WriterBarrier

  /// Waits until every writer is ready (or has given up), so that all start at the same time. Call it once, after all
  /// preparation.
  public func waitForStart() { line.arrive(index, andWait: true) }

  /// Whether the run was cancelled; check it between operations.
  public var shouldStop: Bool { line.isStopped }
}

/// Runs `body` for `count` concurrent writers, each on a thread of its own, and waits for all.
///
/// A body makes its ``DirectoryWriter`` and its recorder, calls ``ParallelWriter/waitForStart()``, then loops until its
/// operations are done or ``ParallelWriter/shouldStop``, and returns its records. The writers share nothing while the
/// clock runs. When the calling task is cancelled, the writers stop after their current operations, and their records
/// are still returned.
/// - Returns: the bodies' results in the order of their indices.
/// - Throws: ``WorkspaceError`` when a thread could not be created; the writers that already run are stopped first.
public func runWriters<Output: Sendable>(
  count: Int, body: @escaping @Sendable (ParallelWriter) -> Output
) async throws(WorkspaceError) -> [Output] {
  let line = WriterBarrier(writers: count)
  let results = await withTaskCancellationHandler {
    await withTaskGroup(of: (Int, Result<Output, WorkspaceError>).self) { group in
      for index in 0..<max(0, count) {
        group.addTask { (index, await runWriter(ParallelWriter(index: index, line: line), body)) }
      }
      var results: [(Int, Result<Output, WorkspaceError>)] = []
      for await result in group { results.append(result) }
      return results.sorted { $0.0 < $1.0 }
    }
  } onCancel: {
    line.stop()
  }
  var outputs: [Output] = []
  for (_, result) in results { outputs.append(try result.get()) }
  return outputs
}

private func runWriter<Output: Sendable>(
  _ seat: ParallelWriter, _ body: @escaping @Sendable (ParallelWriter) -> Output
) async -> Result<Output, WorkspaceError> {
  do throws(WorkspaceError) {
    return .success(
      try await runOnOwnThread {
        // A writer that gives up before the start must not keep the others waiting.
        defer { seat.line.arrive(seat.index, andWait: false) }
        return body(seat)
      })
  } catch {
    seat.line.stop()
    return .failure(error)
  }
}

/// A barrier: writers wait here for each other before they start, and learn here that they should stop.
///
/// `@unchecked`: `missing` is only touched with `mutex` held; the condition and the mutex live at a fixed address of
/// their own.
final class WriterBarrier: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let opened = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var missing: Set<Int>
  private let stopped = Atomic(false)

  init(writers: Int) {
    missing = Set(0..<max(0, writers))
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(opened, nil)
  }

  deinit {
    pthread_cond_destroy(opened)
    pthread_mutex_destroy(mutex)
    opened.deallocate()
    mutex.deallocate()
  }

  var isStopped: Bool { stopped.load(ordering: .relaxed) }

  func arrive(_ writer: Int, andWait waits: Bool) {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    missing.remove(writer)
    if missing.isEmpty { pthread_cond_broadcast(opened) }
    while waits, !missing.isEmpty, !isStopped { pthread_cond_wait(opened, mutex) }
  }

  /// Wakes the waiting writers, which then find that they should stop.
  func stop() {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    stopped.store(true, ordering: .relaxed)
    pthread_cond_broadcast(opened)
  }
}

/// Runs `body` on a new thread, which then ends. Blocking system calls belong there, because the cooperative pool has
/// only as many threads as cores and must not be blocked.
/// - Throws: ``WorkspaceError`` when no thread could be created.
public func runOnOwnThread<Output: Sendable>(
  _ body: @escaping @Sendable () -> Output
) async throws(WorkspaceError) -> Output {
  let result: Result<Output, WorkspaceError> = await withCheckedContinuation { continuation in
    do throws(WorkspaceError) {
      let thread = try startThread { continuation.resume(returning: .success(body())) }
      pthread_detach(thread)
    } catch {
      continuation.resume(returning: .failure(error))
    }
  }
  return try result.get()
}

/// Runs `body` on a new thread and waits until it has ended, for a caller that may block.
func runOnOwnThreadAndWait<Output: Sendable>(
  _ body: @escaping @Sendable () -> Output
) throws(WorkspaceError) -> Output? {
  let output = OutputSlot<Output>()
  let thread = try startThread { output.value.withLock { $0 = body() } }
  pthread_join(thread, nil)
  return output.value.withLock { $0 }
}

private final class OutputSlot<Output: Sendable>: Sendable {
  let value = Mutex<Output?>(nil)
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func startThread(_ body: @escaping @Sendable () -> Void) throws(WorkspaceError) -> pthread_t {
  var thread = pthread_t()
  let passed = Unmanaged.passRetained(ThreadBody(body))
  let cause = pthread_create(
    &thread, nil,
    { argument in
      guard let argument else { return nil }
      Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
      return nil
    }, passed.toOpaque())
  guard cause == 0 else {
    passed.release()
    throw WorkspaceError(.systemCallFailed, "no thread could be made; use fewer writers", systemError: cause)
  }
  return thread
}
