import Latency
public import NIOCore

/// Keeps a number of warm tasks at a gateway: each that ends is replaced by a new one with a new id.
public struct AgentPool: Sendable {
  private let configuration: WarmTaskConfiguration
  private let count: Int
  private let loops: [any EventLoop]
  private let observer: TaskObserver
  private let jitter: @Sendable () -> Double
  private let makeTaskId: @Sendable () -> String

  /// Makes a pool; ``run()`` starts it.
  ///
  /// - Parameters:
  ///   - count: Tasks alive at a time.
  ///   - loops: Tasks take turns on them; at least one.
  ///   - jitter: 0…1, asked before each pause.
  ///   - makeTaskId: A fresh id for every task.
  public init(
    configuration: WarmTaskConfiguration, count: Int, loops: [any EventLoop],
    observer: @escaping TaskObserver = { _ in }, jitter: @escaping @Sendable () -> Double = { .random(in: 0...1) },
    makeTaskId: @escaping @Sendable () -> String = AgentPool.randomTaskId
  ) {
    self.configuration = configuration
    self.count = count
    self.loops = loops
    self.observer = observer
    self.jitter = jitter
    self.makeTaskId = makeTaskId
  }

  /// Keeps the tasks alive until it is cancelled; then ends them in order and returns.
  public func run() async {
    await withDiscardingTaskGroup { group in
      for place in 0..<count { group.addTask { await keep(on: loops[place % loops.count]) } }
    }
  }

  /// Lives one life in each place, without replacement, and returns how they ended.
  public func runOnce() async -> [TaskOutcome] {
    await withTaskGroup(of: TaskOutcome.self) { group in
      for place in 0..<count { group.addTask { await live(on: loops[place % loops.count]) } }
      return await group.reduce(into: []) { $0.append($1) }
    }
  }

  private func keep(on loop: any EventLoop) async {
    var backoff = ReplacementBackoff()
    while !Task.isCancelled {
      let start = MonotonicClock.now()
      let outcome = await live(on: loop)
      let pause = backoff.pause(after: outcome, lived: MonotonicClock.now() - start, jitter: jitter())
      if pause > .zero { try? await Task.sleep(for: pause) }
    }
  }

  private func live(on loop: any EventLoop) async -> TaskOutcome {
    await WarmTaskAgent.run(taskId: makeTaskId(), configuration: configuration, on: loop, observer: observer)
  }

  /// 32 hexadecimal digits, as ECS names its tasks.
  public static func randomTaskId() -> String {
    [UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max)]
      .map { half in
        let digits = String(half, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
      }
      .joined()
  }
}

/// How long a place in the pool stays empty before its next task starts. A healthy life is replaced at once; failures
/// in a row wait ever longer, so that a broken gateway is asked a few times a minute and not a thousand times a second.
struct ReplacementBackoff {
  static let first: Nanoseconds = .milliseconds(250)
  static let longest: Nanoseconds = .seconds(15)
  /// A task that waited this long and was then retired was well, even if no user ever came.
  static let healthyWait: Nanoseconds = .seconds(5)

  private var failures = 0

  /// The pause after a life.
  ///
  /// - Parameter jitter: 0…1; the pause is between half of its full length and the whole.
  mutating func pause(after outcome: TaskOutcome, lived: Nanoseconds, jitter: Double) -> Nanoseconds {
    guard !Self.isHealthy(outcome, lived: lived) else {
      failures = 0
      return .zero
    }
    let full = min(Self.longest, Self.first * (1 << min(failures, 16)))
    failures += 1
    let half = full / 2
    return half + .nanoseconds(Double(half.nanoseconds) * min(1, max(0, jitter)))
  }

  private static func isHealthy(_ outcome: TaskOutcome, lived: Nanoseconds) -> Bool {
    switch outcome {
    case .released, .processEnded, .stopped: true
    case .retired, .connectionLost: lived >= healthyWait
    case .notConnected, .initFailed: false
    }
  }
}
