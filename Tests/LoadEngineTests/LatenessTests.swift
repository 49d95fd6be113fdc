import Latency
import NIOCore
import Synchronization
import Testing
import Transport

@testable import LoadEngine

/// A user is free when its last answer has been read, however late its task gets to run after that.
@Suite(.serialized, .timeLimit(.minutes(1))) struct LatenessTests {
  /// Answers come to both users at one instant, in the middle of a gap of the schedule, and the conclusion of the first
  /// one holds the loop up across the next starts.
  private final class HeldUpScenario: Scenario {
    static let spin: Nanoseconds = .milliseconds(40)
    private let waiting = Mutex<[UnsafeContinuation<Void, Never>]>([])
    /// When both answers had come.
    let answeredAt = Mutex<Instant?>(nil)
    private let hasSpun = Mutex(false)

    func makeUser(_ number: Int, on executor: LoopExecutor) async -> LoopExecutor { executor }

    func perform(_ user: LoopExecutor, _ iteration: Iteration, into record: inout IterationRecord) async {
      record.wrote(at: MonotonicClock.now())
      guard iteration.number <= 2 else { return }
      await withUnsafeContinuation { continuation in
        let both = waiting.withLock { waiting in
          waiting.append(continuation)
          return waiting.count == 2 ? waiting : []
        }
        guard !both.isEmpty else { return }
        // 5 ms after the second start, and 25 ms before the third one.
        user.execute(after: .milliseconds(5)) {
          for continuation in both { continuation.resume() }
          self.answeredAt.withLock { $0 = MonotonicClock.now() }
        }
      }
    }

    func conclude(_ user: LoopExecutor, _ iteration: Iteration) async {
      let isFirst = hasSpun.withLock { hasSpun in
        defer { hasSpun = true }
        return !hasSpun
      }
      guard isFirst else { return }
      let begin = MonotonicClock.now()
      while MonotonicClock.now() - begin < Self.spin {}
    }
  }

  /// Starts are due every 30 ms: the third one 60 ms after the first.
  private static let slow = ArrivalSchedule(rate: ArrivalRate(starts: 1, period: .milliseconds(30)), arrival: .constant)

  @Test(arguments: [false, true]) func aStartIsLateThatTheLoopHandsOverLate(drops: Bool) async {
    // On a busy machine the answers may come only when the third start is due: then no user was free for it.
    for _ in 1...20 {
      let scenario = HeldUpScenario()
      let run = await LoadRun.perform(
        scenario, plan: .openLoop(Self.slow, users: 2, count: 4, dropsWhenBusy: drops),
        catalogue: Catalogue(metrics: ["work"], counters: []), on: LoopGroup())
      let answeredAt = scenario.answeredAt.withLock { $0 } ?? .distantFuture
      guard answeredAt < run.startedAt + .milliseconds(60) else { continue }
      // The third start was due 25 ms after the answers, and 15 ms before the loop was free again.
      #expect(run.recording.iterations == 4 && run.recording.dropped == 0)
      #expect(run.recording.lateness.max >= 14_000_000, "\(run.recording.lateness.max)")
      return
    }
    Issue.record("in none of 20 runs did the answers come before the third start was due")
  }

  /// Connects again in every iteration, which takes a moment, after its loop has been held up for much longer.
  private struct HeldUpReconnecting: Scenario {
    func makeUser(_ number: Int, on executor: LoopExecutor) async -> LoopExecutor { executor }

    func prepare(_ user: LoopExecutor, _ iteration: Iteration, into record: inout IterationRecord) async {
      let held = MonotonicClock.now()
      while MonotonicClock.now() - held < .milliseconds(20) {}
      let begin = MonotonicClock.now()
      await user.sleep(for: .milliseconds(1))
      record.occupied(from: begin, to: user.readySince)
    }

    func perform(_ user: LoopExecutor, _ iteration: Iteration, into record: inout IterationRecord) async {
      record.wrote(at: MonotonicClock.now())
    }
  }

  @Test func connectingAgainDoesNotHideHowLateTheGeneratorCameToIt() async {
    let run = await LoadRun.perform(
      HeldUpReconnecting(), plan: .openLoop(Self.slow, users: 1, count: 3),
      catalogue: Catalogue(metrics: ["work"], counters: []), on: LoopGroup())
    #expect(run.recording.lateness.totalCount == 3 && run.recording.lateness.min >= 19_000_000)
  }

  @Test func startsThatAreDroppedWhileAUserWasFreeAreLate() async {
    // One user, which is free all the time; its loop is held up by somebody else while twenty starts are due.
    let loops = LoopGroup()
    let scenario = FakeScenario(onPerform: { number in
      guard number == 3 else { return }
      loops.executors[0].execute {
        let begin = MonotonicClock.now()
        while MonotonicClock.now() - begin < .milliseconds(40) {}
      }
    }) { _ in .succeed }
    let schedule = ArrivalSchedule(rate: ArrivalRate(starts: 500, period: .seconds(1)), arrival: .constant)
    let run = await LoadRun.perform(
      scenario, plan: .openLoop(schedule, users: 1, count: 40, dropsWhenBusy: true),
      catalogue: FakeScenario.catalogue, on: loops)
    let recording = run.recording
    #expect(recording.iterations + recording.dropped == 40 && recording.dropped >= 10)
    // Every one of them: those that were begun, and those that the generator missed.
    #expect(recording.missed >= 10 && recording.missed <= recording.dropped)
    #expect(recording.lateness.totalCount == recording.iterations + recording.missed)
    #expect(recording.lateness.max >= 15_000_000)
  }

  @Test func startsThatABusyTargetKeepsUsersFromAreDroppedAndNotLate() async {
    let scenario = BlockingScenario(length: .milliseconds(50))
    let run = await LoadRun.perform(
      scenario, plan: .openLoop(OpenLoopTests.fast, users: 2, count: 100, dropsWhenBusy: true),
      catalogue: BlockingScenario.catalogue, on: LoopGroup())
    #expect(run.recording.dropped >= 80)
    // A start of this machine's own slowness may be among them: not most.
    #expect(run.recording.missed < run.recording.dropped / 2)
  }
}
