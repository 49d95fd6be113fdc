internal import Synchronization

/// One of several writers that run at the same time, each on a thread of its own.
public struct WriterSeat: Sendable {
  /// Which one, from 0.
  public let index: Int
  fileprivate let line: StartLine

  /// Waits until every writer is ready (or has given up), so that all start at once. Call it once, after all preparation.
  public func waitForStart() { line.arrive(index, andWait: true) }

  /// Whether the run was cancelled; to be asked between operations.
  public var shouldStop: Bool { line.isStopped }
}

/// Runs `body` for `count` writers at once, each on a thread of its own, and waits for all.
///
/// A body makes its ``DirectoryWriter`` and its recorder, calls ``WriterSeat/waitForStart()``, then loops until its operations are
/// done or ``WriterSeat/shouldStop``, and returns what it has recorded: nothing is shared while the clock runs. When the calling
/// task is cancelled the writers stop after the operation they are in, and what they have recorded is returned all the same.
/// - Returns: The bodies' results in the order of their indices.
/// - Throws: ``WorkspaceError`` when a thread could not be made; writers already running are stopped first.
public func runWriters<Output: Sendable>(
  count: Int, body: @escaping @Sendable (WriterSeat) -> Output
) async throws(WorkspaceError) -> [Output] {
  let line = StartLine(writers: count)
  let results = await withTaskCancellationHandler {
    await withTaskGroup(of: (Int, Result<Output, WorkspaceError>).self) { group in
      for index in 0..<max(0, count) {
        group.addTask { (index, await runWriter(WriterSeat(index: index, line: line), body)) }
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
  _ seat: WriterSeat, _ body: @escaping @Sendable (WriterSeat) -> Output
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
