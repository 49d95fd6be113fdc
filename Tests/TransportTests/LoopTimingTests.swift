import Latency
import NIOCore
import Synchronization
import TestSupport
import Testing
import Transport

/// Sleeping on a loop's timer, and running what a timer has just resumed.
@Suite(.timeLimit(.minutes(1))) struct LoopTimingTests {
  static let loops = LoopGroup(threads: 1)
  static let executor = loops.executor(forUser: 0)

  private func onLoop<T: Sendable>(_ work: @escaping @Sendable () async -> T) async -> T {
    await withTaskGroup(of: T.self, returning: T.self) { group in
      group.addTask(executorPreference: Self.executor) { await work() }
      for await value in group { return value }
      preconditionFailure("a group with a task has a value")
    }
  }

  @Test(arguments: [0, 1, .microseconds(20), .milliseconds(3)] as [Nanoseconds])
  func aSleepLastsItsTimeAndEndsOnTheLoop(_ length: Nanoseconds) async {
    let (elapsed, isOnLoop) = await onLoop {
      let begin = MonotonicClock.now()
      await Self.executor.sleep(for: length)
      return (MonotonicClock.now() - begin, Self.executor.isCurrent)
    }
    #expect(elapsed >= length)
    #expect(isOnLoop)
  }

  @Test func whoeverSleepsFromOutsideTheLoopIsWokenToo() async {
    await Self.executor.sleep(for: .microseconds(1))
  }

  @Test(arguments: [false, true], [Nanoseconds.max, .seconds(3_600)])
  func aCancelledSleepEndsAtOnce(isOnLoop: Bool, _ length: Nanoseconds) async {
    let sleeping = Counter()
    await withTaskGroup(of: Void.self) { group in
      group.addTask(executorPreference: isOnLoop ? Self.executor : nil) {
        sleeping.increment()
        await Self.executor.sleep(for: length)
      }
      while sleeping.value == 0 { await Task.yield() }
      group.cancelAll()
    }
  }

  @Test(arguments: [false, true]) func aTaskCancelledBeforehandDoesNotSleep(isOnLoop: Bool) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask(executorPreference: isOnLoop ? Self.executor : nil) {
        withUnsafeCurrentTask { $0?.cancel() }
        await Self.executor.sleep(for: .seconds(3_600))
      }
    }
  }

  @Test func whenCancellationRacesWithTheTimerTheSleeperIsResumedOnce() async {
    var random = SeededRandom(seed: 11)
    let ended = Counter()
    for _ in 0..<500 {
      let length = Nanoseconds(.random(in: 0..<60_000, using: &random))
      let yields = Int.random(in: 0..<20, using: &random)
      await withTaskGroup(of: Void.self) { group in
        group.addTask(executorPreference: Self.executor) {
          await Self.executor.sleep(for: length)
          ended.increment()
        }
        for _ in 0..<yields { await Task.yield() }
        group.cancelAll()
      }
    }
    #expect(ended.value == 500)
  }

  private final class Counter: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .acquiring) }
    func increment() { count.wrappingAdd(1, ordering: .releasing) }
  }

  /// A task on the loop that counts, and whoever lets it go on.
  private final class Sleeper: Sendable {
    let wakeUps = Counter()
    private let continuation = Mutex<UnsafeContinuation<Void, Never>?>(nil)

    func sleepOnce() async {
      await withUnsafeContinuation { waiting in continuation.withLock { $0 = waiting } }
      wakeUps.increment()
    }

    var isAsleep: Bool { continuation.withLock { $0 != nil } }

    func wake() { continuation.withLock { $0.take() }?.resume() }
  }

  @Test func whatATimerHasResumedRunsBeforeTheTimerReturns() async throws {
    let sleeper = Sleeper()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask(executorPreference: Self.executor) { await sleeper.sleepOnce() }
      while !sleeper.isAsleep { await Task.yield() }
      let counts = await withUnsafeContinuation { (continuation: UnsafeContinuation<[Int], Never>) in
        Self.executor.execute(after: .microseconds(10)) {
          sleeper.wake()
          let before = sleeper.wakeUps.value
          Self.executor.drainNow()
          continuation.resume(returning: [before, sleeper.wakeUps.value])
        }
      }
      #expect(counts == [0, 1])
      try await group.waitForAll()
    }
  }

  @Test func aTaskThatDrainsRunsNobodyInsideItself() async {
    let sleeper = Sleeper()
    await withTaskGroup(of: Void.self) { group in
      group.addTask(executorPreference: Self.executor) { await sleeper.sleepOnce() }
      while !sleeper.isAsleep { await Task.yield() }
      group.addTask(executorPreference: Self.executor) {
        sleeper.wake()
        Self.executor.drainNow()
        #expect(sleeper.wakeUps.value == 0)
      }
    }
    #expect(sleeper.wakeUps.value == 1)
  }
}
