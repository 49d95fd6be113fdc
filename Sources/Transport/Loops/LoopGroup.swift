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
  /// What the loops carry best. Each kind of loop carries everything; the other kind of traffic costs a change of
  /// threads for each answer.
  public enum Traffic: Sendable {
    /// HTTP without TLS: loops of our own, ``EpollLoop``.
    case plainHTTP
    /// TLS and WebSockets: SwiftNIO's loops, ``NIOLoop``.
    case secureOrSockets
  }

  /// One executor per loop, at least one.
  public let executors: [LoopExecutor]
  /// What the loops carry best.
  public let traffic: Traffic

  /// Starts `threads` loops, at least one.
  public init(threads: Int = 1, for traffic: Traffic = .plainHTTP) {
    self.traffic = traffic
    switch traffic {
    case .plainHTTP: executors = (0..<max(1, threads)).map { _ in EpollLoop() }
    case .secureOrSockets:
      executors = MultiThreadedEventLoopGroup(numberOfThreads: max(1, threads)).makeIterator().map(NIOLoop.init)
    }
  }

  /// The groups that are not lent at present.
  private static let idle = Mutex<[LoopGroup]>([])

  /// Lends `body` a group of `threads` loops, at least one, for its exclusive use. The group is reused afterwards, so
  /// that a thousand runs of one process need the threads of one run.
  public static func lend<T, E>(
    threads: Int = 1, for traffic: Traffic = .plainHTTP, _ body: (LoopGroup) async throws(E) -> T
  ) async throws(E) -> T {
    let known = idle.withLock { idle in
      idle.lastIndex { $0.executors.count == max(1, threads) && $0.traffic == traffic }.map { idle.remove(at: $0) }
    }
    let group = known ?? LoopGroup(threads: threads, for: traffic)
    defer { idle.withLock { $0.append(group) } }
    return try await body(group)
  }

  /// The executor that serves the `number`-th user.
  public func executor(forUser number: Int) -> LoopExecutor {
    executors[number % executors.count]
  }
}
