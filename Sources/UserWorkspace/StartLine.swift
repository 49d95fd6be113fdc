internal import Glibc
internal import Synchronization

/// Where writers wait for each other before they start, and hear that they should stop.
///
/// `@unchecked`: `missing` is only touched with `mutex` held; the condition and the mutex live at a fixed address of their own.
final class StartLine: @unchecked Sendable {
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

  /// Those who wait go on, and find that they should stop.
  func stop() {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    stopped.store(true, ordering: .relaxed)
    pthread_cond_broadcast(opened)
  }
}
