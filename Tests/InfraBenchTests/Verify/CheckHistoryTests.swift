import Latency
import LoadEngine
import Testing

@testable import InfraBench
@testable import Results

/// What a check keeps of what happened: the story of each violation, and no more than a bounded part.
struct CheckHistoryTests {
  private func event(_ t: Double, _ user: String?, _ task: String? = nil, _ what: String = "does") -> CheckRecord.Event
  {
    .init(t: t, user: user, task: task, what: what)
  }

  private func record(_ history: CheckHistory, isTested: Bool = true) -> CheckRecord {
    history.record(of: .resume, begin: 1, end: 3, reason: isTested ? nil : "no user's side", isTested: isTested)
  }

  @Test func aViolationHasTheEventsOfItsUsersAndTasksThatCameBeforeIt() {
    var history = CheckHistory()
    history.add(event(0.1, "a", "t1"))
    history.add(event(0.2, "b", "t2"))
    history.add(event(0.3, "c", "t1"))
    history.add(event(0.4, nil))
    history.violated(.lostFiles, "lost", t: 0.5, users: ["a"], tasks: ["t1"])
    history.add(event(0.6, "a", "t1"))
    let record = record(history)
    #expect(record.events.map(\.t) == [0.1, 0.3])
    #expect(record.violations == [.init(t: 0.5, counter: "lost_files", what: "lost", events: [0, 1])])
    #expect(record.verdict == .fail && record.eventsLeftOut == 3)
    #expect(record.begin == 1 && record.seconds == 2)
  }

  @Test func aViolationOfThePoolHasWhateverCameBeforeIt() {
    var history = CheckHistory()
    for number in 0..<100 { history.add(event(Double(number), "u\(number % 3)")) }
    history.violated(.notRecovered, "not full", t: 100, users: [], tasks: [])
    let record = record(history)
    #expect(record.events.map(\.t) == (70..<100).map(Double.init), "the last thirty")
    #expect(record.violations[0].events == Array(0..<30))
  }

  @Test func storiesShareTheirEvents() {
    var history = CheckHistory()
    history.add(event(0.1, "a"))
    history.violated(.unanswered, "first", t: 0.2, users: ["a"], tasks: [])
    history.add(event(0.3, "a"))
    history.violated(.unanswered, "second", t: 0.4, users: ["a"], tasks: [])
    #expect(record(history).violations.map(\.events) == [[0], [0, 1]])
  }

  @Test func aPassShowsItsFirstEvents() {
    var history = CheckHistory()
    for number in 0..<1000 { history.add(event(Double(number), "a")) }
    let record = record(history)
    #expect(record.verdict == .pass && record.violations == [])
    #expect(record.events.map(\.t) == (0..<CheckHistory.mostWithout).map(Double.init))
    #expect(record.eventsLeftOut == 1000 - CheckHistory.mostWithout)
  }

  @Test func whatIsNotTestedIsNoPassUnlessAViolationWasSeen() {
    var history = CheckHistory()
    #expect(record(history, isTested: false).verdict == .notTested)
    #expect(record(history, isTested: false).reason == "no user's side")
    history.violated(.lostFiles, "lost", t: 1, users: [], tasks: [])
    #expect(record(history, isTested: false).verdict == .fail)
  }

  @Test func memoryIsBoundedAndTheRecordKeepsTheReadersRules() throws {
    var history = CheckHistory()
    for number in 0..<200_000 {
      history.add(event(Double(number), "u\(number % 7)", "t\(number % 11)"))
      if number.isMultiple(of: 100) {
        history.violated(.unanswered, "no answer", t: Double(number), users: ["u\(number % 7)"], tasks: [])
      }
    }
    let record = record(history)
    #expect(history.brokenCount == 2000)
    #expect(record.violations.count == CheckHistory.mostOfACounter)
    #expect(record.events.count <= CheckHistory.mostOfACounter * CheckHistory.mostOfAViolation)
    #expect(record.events.count + record.eventsLeftOut == 200_000)
    var document = SampleDocuments.typical
    document.checks = [record]
    #expect(ResultRules.violation(in: document) == nil)
  }

  /// A check that a threshold allows to see files must not hide an answer with a secret.
  @Test func manyViolationsOfOneKindHideNoOther() {
    var history = CheckHistory()
    for _ in 0..<1000 { history.violated(.isolationViolations, "read a file", t: 1, users: [], tasks: []) }
    history.violated(.outputCrosstalk, "was sent a secret", t: 2, users: [], tasks: [])
    let record = history.record(of: .isolation, begin: 0, end: 3, reason: nil, isTested: true)
    #expect(record.violations.last?.counter == "output_crosstalk")
    #expect(record.judged(allowing: ["isolation_violations"]).verdict == .fail)
    #expect(record.judged(allowing: ["isolation_violations", "output_crosstalk"]).verdict == .pass)
  }

  @Test func aTaskHasOneUserAtATime() {
    let recorder = VerifyRecorder(beganAt: MonotonicClock.now())
    recorder.begin(.churn)
    recorder.gave("t1", to: "a")
    recorder.gave("t2", to: "b")
    recorder.takesBack("t1")
    recorder.gave("t1", to: "b")
    #expect(recorder.recording[VerifyCounter.duplicateAssignments.counter] == 0)
    recorder.gave("t1", to: "c")
    #expect(recorder.recording[VerifyCounter.duplicateAssignments.counter] == 1)
    #expect(recorder.checks.last?.violations.first?.what == "task t1 was given to c while b had it")
  }

  @Test func eachCounterBelongsToACheckAndIsAThreshold() {
    let ofChecks = Set(PoolCheck.allCases.flatMap(\.counters))
    #expect(ofChecks == Set(VerifyCounter.allCases))
    let standard = VerifyBenchmark.description.defaultThresholds + VerifyBenchmark.description.thresholdsOfAll
    for counter in VerifyCounter.allCases { #expect(standard.contains("\(counter.rawValue) == 0")) }
    #expect(!standard.contains { $0.hasPrefix("errors") }, "faults are provoked")
  }

  @Test func theRecorderPutsViolationsOnOneTimeLineAndCountsThem() {
    let recorder = VerifyRecorder(beganAt: MonotonicClock.now())
    recorder.leaveOut(.fallback, because: "not confirmed")
    recorder.begin(.storm)
    recorder.happened("comes", user: "u", task: "t")
    recorder.violated(.stormLeaked, "has 3 tasks", users: ["u"], by: 2)
    recorder.end(.tested())
    recorder.begin(.churn)
    let checks = recorder.checks
    #expect(checks.map(\.name) == ["fallback", "storm", "churn"])
    #expect(checks.map(\.verdict) == [.notTested, .fail, .notTested])
    #expect(checks[0].reason == "not confirmed" && checks[2].reason == "the run was interrupted")
    #expect(recorder.recording[VerifyCounter.stormLeaked.counter] == 2)
    #expect(checks[1].violations[0].t >= checks[1].events[0].t && checks[1].begin <= checks[1].events[0].t)
  }

  @Test func aTryWithoutASampleIsAFailureOfItsMetricAlone() {
    let recorder = VerifyRecorder(beganAt: MonotonicClock.now())
    recorder.sample(VerifyBenchmark.resume, .milliseconds(5))
    recorder.sample(VerifyBenchmark.resume, nil)
    #expect(recorder.failures == ["resume": FailedPart(1, of: 2)])
    #expect(recorder.recording[VerifyBenchmark.resume]?.totalCount == 1)
  }

  @Test func visitsAreIterationsByTheirEnd() {
    let recorder = VerifyRecorder(beganAt: MonotonicClock.now())
    recorder.visited(nil)
    recorder.visited(VisitFailure(kind: .refused, code: "TASK_DIED", text: "gone"))
    recorder.visited(VisitFailure(kind: .missed, code: "miss", text: ""))
    recorder.visited(VisitFailure(kind: .cancelled, code: "cancelled", text: ""))
    let recording = recorder.recording
    #expect(recording.iterations == 3 && recording.censored == 1 && recording[VerifyBenchmark.misses] == 1)
    #expect(recording.errors.entries.map(\.kind).sorted() == ["TASK_DIED"])
  }
}
