import NIOCore
import NIOPosix
import Synchronization

/// The event loops of a tool, each with its executor. They live as long as the process: NIO traps on work that comes late
/// to a loop that was shut down.
public struct LoopGroup: Sendable {
  /// One executor per loop; at least one.
  public let executors: [LoopExecutor]

  /// Starts `threads` loops, at least one.
  public init(threads: Int = 1) {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, threads))
    executors = group.makeIterator().map(LoopExecutor.init)
  }

  /// Those that nobody has at the moment.
  private static let idle = Mutex<[LoopGroup]>([])

  /// Lends `body` a group of `threads` loops, at least one, that nobody else has meanwhile. It is lent again afterwards:
  /// a thousand runs of one process need the threads of one.
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
