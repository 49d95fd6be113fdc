/// Work that is cut off when its time is over.
enum Bounded {
  /// Runs `work` for at most `bound` ns; then it is cancelled, and has to return soon.
  ///
  /// - Parameter endsWithCaller: whether it is cancelled when the caller's task is: cleaning up is not.
  @discardableResult
  static func run<T: Sendable>(
    for bound: UInt64, endsWithCaller: Bool = false, _ work: @escaping @Sendable () async -> T
  ) async -> T {
    let task = Task { await work() }
    let alarm = Task {
      try await Task.sleep(nanoseconds: bound)
      task.cancel()
    }
    defer { alarm.cancel() }
    return await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      if endsWithCaller { task.cancel() }
    }
  }
}
