import NIOCore
import NIOPosix
import Synchronization

/// The event loops of a tool, each with its ``LoopExecutor``. They live as long as the process, because NIO traps on
/// work that comes to a loop after its shutdown.
///
/// ```swift
/// let run = await LoopGroup.lend(threads: 2) { loops in
///   await LoadRun.perform(scenario, plan: plan, catalogue: catalogue, on: loops)
/// }
/// ```
public struct LoopGroup: Sendable {
  /// One executor per loop, at least one.
  public let executors: [LoopExecutor]

  /// Starts `threads` loops, at least one.
  public init(threads: Int = 1) {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, threads))
    executors = group.makeIterator().map(LoopExecutor.init)
  }

  /// The groups that are not lent at present.
  private static let idle = Mutex<[LoopGroup]>([])

  /// Lends `body` a group of `threads` loops, at least one, for its exclusive use. The group is reused afterwards, so
  /// that a thousand runs of one process need the threads of one run.
  public static func lend<T, E>(
    threads: Int = 1, _ body: (LoopGroup) async throws(E) -> T
  ) async throws(E) -> T {
    let known = idle.withLock { idle in
      idle.lastIndex { $0.executors.count == max(1, threads) }.map { idle.remove(at: $0) }
    }
    let group = known ?? LoopGroup(threads: threads)
    defer { idle.withLock { $0.append(group) } }
    return try await body(group)
  }

  /// The executor that serves the `number`-th user.
  public func executor(forUser number: Int) -> LoopExecutor {
    executors[number % executors.count]
  }
}
