import NIOCore
import NIOPosix

/// The event loops of a tool, each with its executor. They live as long as the process.
public struct LoopGroup: Sendable {
  /// One executor per loop; at least one.
  public let executors: [LoopExecutor]

  /// Starts `threads` loops, at least one.
  public init(threads: Int = 1) {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, threads))
    executors = group.makeIterator().map(LoopExecutor.init)
  }

  /// The executor that serves the `number`-th user.
  public func executor(forUser number: Int) -> LoopExecutor {
    executors[number % executors.count]
  }
}
