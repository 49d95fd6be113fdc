import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Documents that hold very much: work that looked at each thing for each other one would take many minutes.
@Suite(.timeLimit(.minutes(1))) struct LargeMergeTests {
  private static let count = 200_000
  private let first = StoredSamples.run([1_000_000])
  private let second = StoredSamples.run([2_000_000], startedAt: "2026-11-21T21:00:00.000Z")

  @Test func manyKindsOfErrorsAreAddedUp() throws {
    let scratch = try ScratchDirectory()
    var runs = [first, second]
    for run in runs.indices {
      runs[run].errors = (0..<Self.count).map { .init(kind: "kind_\($0)", count: UInt64(run + 1), example: "") }
    }
    let errors = try ResultMerge.merge(StoredSamples.stored(runs, in: scratch)).errors
    #expect(errors.count == Self.count)
    #expect(errors.allSatisfy { $0.count == 3 } && errors.last?.kind == "kind_\(Self.count - 1)")
  }

  @Test func manyNotesStandOnceEach() {
    var runs = [first, second]
    runs[0].notes = (0..<Self.count).map { "note \($0)" }
    runs[1].notes = runs[0].notes
    let notes = MergeNotes(runs: runs).all
    #expect(notes.filter { $0.hasPrefix("note ") } == (0..<100).map { "note \($0)" })
    #expect(notes.last == "\(Self.count - 100) more notes are in the runs' own files")
  }

  @Test func manyThresholdsAreJudgedOnceEach() {
    var runs = [first, second]
    let expressions = (0..<ResultRules.mostThresholds).map { "allocation.p99 < \($0 + 1)ms" }
    for run in runs.indices {
      runs[run].thresholds = expressions.map { .init(expression: $0, observed: 1, pass: true) }
    }
    let judged = MergedThresholds(runs: runs, first: first, metrics: first.metrics, counters: first.counters).judged
    #expect(judged.map(\.expression) == expressions)
    #expect(judged.filter(\.pass).count == judged.count - 1)
  }

  @Test func aCopyIsFoundAmongManyFiles() throws {
    let scratch = try ScratchDirectory()
    var run = first
    run.durationSeconds = 0.0005
    var results: [StoredResult] = []
    for number in 0..<200 {
      run.startedAt = "2026-11-20T21:00:00.\(100 + number)Z"
      results.append(try StoredSamples.stored(run, "\(number).json", in: scratch))
    }
    #expect(MergeCheck(results).problems == [])
    results.append(try StoredSamples.stored(run, "copy.json", in: scratch))
    #expect(
      MergeCheck(results).problems
        == ["'\(scratch.path)/copy.json' is a copy of the run in '\(scratch.path)/199.json': a run counts once"])
  }
}
