import Latency
import Synchronization
import Testing
import Transport

@testable import LoadEngine

@Suite(.timeLimit(.minutes(1))) struct TimelineTests {
  private func part(_ nanoseconds: UInt64) -> IntervalRecording {
    var part = IntervalRecording()
    part.iterations = 2
    part.errors = 1
    part.dropped = 3
    part.latencies.record(nanoseconds)
    return part
  }

  @Test(arguments: [1, 239, 240, 241, 1000, 4000]) func theNumberOfIntervalsIsBoundedAndNothingIsLost(_ count: Int) {
    var timeline = Timeline()
    var all = LatencyHistogram()
    for index in 0..<UInt64(count) {
      timeline.append(part(1000 + index * 1000), from: .nanoseconds(index * 10), to: .nanoseconds(index * 10 + 10))
      all.record(1000 + index * 1000)
    }
    timeline.seal()
    let intervals = timeline.intervals
    #expect(!intervals.isEmpty && intervals.count <= Timeline.limit)
    #expect(intervals.reduce(0) { $0 + $1.iterations } == UInt64(count) * 2)
    #expect(intervals.reduce(0) { $0 + $1.errors } == UInt64(count))
    #expect(intervals.reduce(0) { $0 + $1.dropped } == UInt64(count) * 3)
    var sum = LatencyHistogram()
    for interval in intervals { sum.merge(ofSameLayout: interval.latencies) }
    #expect(sum == all)
    // Without gaps.
    var end = Nanoseconds.zero
    for interval in intervals {
      #expect(interval.start == end)
      end = interval.start + interval.length
    }
    #expect(end == .nanoseconds(count * 10))
  }

  @Test(arguments: [false, true]) func aRunsTimelineHoldsAllOfIt(isOpen: Bool) async {
    let scenario = FakeScenario { $0.number % 10 == 0 ? .fail : .succeed }
    let plan: LoadPlan =
      isOpen
      ? .openLoop(OpenLoopTests.fast, users: 3, count: 400)
      : .closedLoop(users: 2, count: nil, duration: .milliseconds(200), warmup: .iterations(5))
    let run = await LoadRun.perform(
      scenario, plan: plan, catalogue: FakeScenario.catalogue, on: LoadRunTests.loops, timeline: .milliseconds(50))
    #expect(!run.timeline.isEmpty)
    #expect(run.timeline.reduce(0) { $0 + $1.iterations } == run.recording.iterations)
    #expect(run.timeline.reduce(0) { $0 + $1.errors } == run.recording.errors.total)
    #expect(
      run.timeline.reduce(0) { $0 + $1.latencies.totalCount } == run.recording[FakeScenario.work]?.totalCount ?? 0)
    #expect(run.timeline.first?.start == 0)
  }

  @Test(arguments: [false, true]) func theRecordingsPartsAreTogetherTheWholeRecording(isOpen: Bool) async {
    let scenario = FakeScenario { $0.number % 10 == 0 ? .fail : .succeed }
    let plan: LoadPlan =
      isOpen
      ? .openLoop(OpenLoopTests.fast, users: 3, count: 400)
      : .closedLoop(users: 2, count: nil, duration: .milliseconds(200), warmup: .iterations(5))
    let taken = Mutex<[RecordingParts.Part]>([])
    let run = await LoadRun.perform(
      scenario, plan: plan, catalogue: FakeScenario.catalogue, on: LoadRunTests.loops, timeline: .milliseconds(30),
      parts: RecordingParts(every: .milliseconds(20)) { part in taken.withLock { $0.append(part) } })
    let parts = taken.withLock { $0 }
    #expect(isOpen || parts.count >= 2)
    var sum = Recording(FakeScenario.catalogue)
    var end = Nanoseconds.zero
    for part in parts {
      #expect(part.start == end)
      end = part.end
      sum.merge(part.recording)
    }
    #expect(sum.iterations == run.recording.iterations && sum.iterations > 0)
    #expect(sum.errors == run.recording.errors && sum.errors.total > 0)
    #expect(sum[FakeScenario.work] == run.recording[FakeScenario.work])
    #expect(sum.dropped == run.recording.dropped)
    #expect(run.timeline.reduce(0) { $0 + $1.iterations } == run.recording.iterations)
  }

  /// What is watched beside the recording, such as a process's CPU time, must not count the warm-up.
  @Test(arguments: [LoadPlan.Warmup.iterations(40), .duration(.milliseconds(60))])
  func theMeasuredPartsBeginIsSaidOnceAfterTheWarmupAndBeforeAnyPart(_ warmup: LoadPlan.Warmup) async {
    let scenario = FakeScenario { _ in .succeed }
    let begins = Mutex<[(warmups: Int, parts: Int)]>([])
    let taken = Mutex(0)
    var parts = RecordingParts(every: .milliseconds(20)) { _ in taken.withLock { $0 += 1 } }
    parts.begun = {
      let warmupsBefore = scenario.seen.withLock { $0.warmups }
      let partsBefore = taken.withLock { $0 }
      begins.withLock { $0.append((warmups: warmupsBefore, parts: partsBefore)) }
    }
    _ = await LoadRun.perform(
      scenario,
      plan: .closedLoop(users: 1, count: nil, duration: .milliseconds(200), warmup: warmup),
      catalogue: FakeScenario.catalogue, on: LoadRunTests.loops, parts: parts)
    let said = begins.withLock { $0 }
    let warmups = scenario.seen.withLock { $0.warmups }
    let partsInAll = taken.withLock { $0 }
    #expect(said.count == 1)
    #expect(said.first?.warmups == warmups && warmups > 0)
    #expect(said.first?.parts == 0 && partsInAll > 1)
  }

  @Test func withoutAnIntervalThereIsNoTimeline() async {
    let run = await LoadRun.perform(
      FakeScenario { _ in .succeed }, plan: .closedLoop(users: 1, count: 3), catalogue: FakeScenario.catalogue,
      on: LoadRunTests.loops)
    #expect(run.timeline.isEmpty)
  }
}
