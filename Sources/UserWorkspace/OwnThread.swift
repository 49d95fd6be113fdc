internal import Glibc
internal import Synchronization

/// Runs `body` on a thread made for it, which then ends: the place for system calls that block, of which the cooperative pool,
/// with as many threads as cores, must see none.
/// - Throws: ``WorkspaceError`` when no thread could be made.
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

/// The same for a caller that may block: waits until the thread has ended.
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
