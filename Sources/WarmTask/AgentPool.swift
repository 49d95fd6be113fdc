import Latency
public import NIOCore

/// Keeps a number of warm tasks at a gateway: each task that ends is replaced by a new one with a new id.
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
  ///   - count: the number of tasks alive at the same time.
  ///   - loops: the event loops, assigned to tasks in turn; at least one.
  ///   - jitter: returns a number in 0…1 for each pause.
  ///   - makeTaskId: returns a new id for every task.
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

  /// Runs one task in each place, without replacement, and returns their outcomes.
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

  /// A random id of 32 hexadecimal digits, the form of ECS's task ids.
  public static func randomTaskId() -> String {
    [UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max)]
      .map { half in
        let digits = String(half, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
      }
      .joined()
  }
}

/// The pause before a place in the pool gets its next task. A healthy task is replaced at once. After consecutive
/// failures the pauses grow, so that a broken gateway gets a few requests a minute and not a thousand a second.
struct ReplacementBackoff {
  static let first: Nanoseconds = .milliseconds(250)
  static let longest: Nanoseconds = .seconds(15)
  /// A task that was retired after waiting at least this long counts as healthy, even without a user.
  static let healthyWait: Nanoseconds = .seconds(5)

  private var failures = 0

  /// The pause after a task's end.
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
