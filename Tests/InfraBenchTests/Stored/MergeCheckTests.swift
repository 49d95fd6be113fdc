import Foundation
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

@Suite struct MergeCheckTests {
  private let scratch: ScratchDirectory
  private let first = StoredSamples.run([1_000_000], startedAt: "2026-11-20T10:00:00.000Z")
  private let second = StoredSamples.run([2_000_000], startedAt: "2026-11-20T11:00:00.000Z", seed: 2)

  init() throws { scratch = try ScratchDirectory() }

  /// Paths without the scratch directory.
  private func problems(_ results: [StoredResult]) -> [String] {
    MergeCheck(results).problems.map { $0.replacing(scratch.path + "/", with: "") }
  }

  private func problems(_ change: (inout ResultDocument) -> Void) throws -> [String] {
    var changed = second
    change(&changed)
    return problems(try StoredSamples.stored([first, changed], in: scratch))
  }

  @Test func runsOfOneLoadCanBeMerged() throws {
    #expect(try problems { _ in } == [])
    // What does not shape the load may differ.
    #expect(
      try problems {
        $0.label = "b"
        $0.parameters["userId"] = "other"
        $0.parameters["headers"] = .array(["x"])
        $0.target.gatewayUrl = "http://127.0.0.1:2"
        $0.verdict = .interrupted
      } == [])
  }

  @Test func anotherToolTargetOrLoadIsRefused() throws {
    #expect(
      try problems { $0.tool = "bench-e2e" } == ["'run-1.json' is of bench-e2e, and 'run-0.json' of bench-allocation"])
    #expect(
      try problems { $0.target.kind = "remote" }
        == ["'run-1.json' has the target remote, and 'run-0.json' embedded"])
    #expect(
      try problems {
        $0.parameters["count"] = 20
        $0.parameters["hold"] = nil
        $0.parameters["added_later"] = 1
      } == [
        "'run-1.json' has another load: added_later is 1, and none in 'run-0.json'",
        "'run-1.json' has another load: count is 20, and 10 in 'run-0.json'",
        "'run-1.json' has another load: hold is none, and no in 'run-0.json'",
      ])
  }

  @Test func aRunCountsOnce() throws {
    let results = try StoredSamples.stored([first, second], in: scratch)
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path + "/link.json", withDestinationPath: scratch.path + "/run-0.json")
    try FileManager.default.linkItem(atPath: scratch.path + "/run-1.json", toPath: scratch.path + "/hard.json")
    let (link, hard) = (scratch.path + "/link.json", scratch.path + "/./hard.json")
    let copy = try StoredSamples.stored(first, "copy.json", in: scratch)
    #expect(
      problems(results + [try ResultReader.suite.read(link), try ResultReader.suite.read(hard), copy]) == [
        "'link.json' is the same file as 'run-0.json': a run counts once",
        "'./hard.json' is the same file as 'run-1.json': a run counts once",
        "'copy.json' is a copy of the run in 'run-0.json': a run counts once",
      ])
  }

  /// Four generators at once, each with a fourth of the load: the sum of their lengths is four times as long as it took.
  @Test func runsAtTheSameTimeAreRefusedWithWhatToDoInstead() throws {
    let runs = (0..<4).map { number in
      var run = StoredSamples.run([1_000_000], startedAt: "2026-11-20T10:00:0\(number).500Z", seed: Int64(number))
      run.environment.hostname = "host-\(number % 2)"
      return run
    }
    let problems = problems(try StoredSamples.stored(runs, in: scratch))
    #expect(
      problems.first
        == "'run-1.json' began at 2026-11-20T10:00:01.500Z, while the run in 'run-0.json' went on (from "
        + "2026-11-20T10:00:00.500Z, for 12.3 s or more): rates of runs at the same time add up, and a merge would divide by the "
        + "sum of their lengths; merge runs that followed one another, and show these each by itself")
    #expect(problems.count == 3 && problems[2].hasPrefix("'run-3.json' began at "))
    #expect(throws: ResultMergeError.self) { try ResultMerge.merge(StoredSamples.stored(runs, in: scratch)) }
  }

  /// Of 12.345 s each, by the second one's start: the order of the files makes no difference.
  @Test(
    arguments: [
      ("10:00:00.000", true), ("10:00:00.001", true), ("10:00:12.000", true), ("10:00:12.342", true),
      // The start is written to the millisecond, rounded either way.
      ("10:00:12.344", false), ("10:00:12.345", false), ("10:00:12.346", false), ("11:00:00.000", false),
      ("09:59:47.655", false), ("09:59:48.000", true), ("09:00:00.000", false),
    ])
  func runsThatFollowOneAnotherMayTouch(_ time: String, _ overlap: Bool) throws {
    let other = StoredSamples.run([2_000_000], startedAt: "2026-11-20T\(time)Z", seed: 2)
    let results = try StoredSamples.stored([first, other], in: scratch)
    #expect(problems(results).count == (overlap ? 1 : 0))
    #expect(problems(results.reversed()).count == (overlap ? 1 : 0))
  }

  /// A long run is not forgotten because a short one began after it.
  @Test func aRunWithinALongOneIsFoundBehindAShortOne() throws {
    var (long, short) = (first, second)
    long.durationSeconds = 3600
    short.startedAt = "2026-11-20T10:10:00.000Z"
    let third = StoredSamples.run([3_000_000], startedAt: "2026-11-20T10:20:00.000Z", seed: 3)
    let problems = problems(try StoredSamples.stored([third, short, long], in: scratch))
    #expect(problems.count == 2 && problems.allSatisfy { $0.contains("while the run in 'run-2.json' went on") })
  }

  @Test func aMergeIsNotMergedAgain() throws {
    #expect(
      try problems { $0.findings = ["merged_runs": 3] }
        == ["'run-1.json' is a merge itself: name the runs that it was made of"])
  }

  @Test func oneRunIsNoMerge() throws {
    #expect(problems([try StoredSamples.stored(first, in: scratch)]) == ["--merge needs at least two files"])
  }

  @Test func everythingThatForbidsAMergeIsSaidAtOnce() throws {
    var other = second
    other.tool = "bench-e2e"
    var larger = second
    larger.parameters["count"] = 20
    larger.startedAt = "2026-11-21T11:00:00.000Z"
    let results = try StoredSamples.stored([first, other, larger], in: scratch)
    do throws(ResultMergeError) {
      _ = try ResultMerge.merge(results)
      Issue.record("it was merged")
    } catch {
      #expect(error.sentences.count == 2 && error.sentences.allSatisfy { $0.hasPrefix("'") })
    }
  }
}
