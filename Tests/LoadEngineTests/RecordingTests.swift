import Latency
import TestSupport
import Testing

@testable import LoadEngine

@Suite struct RecordingTests {
  static let catalogue = Catalogue(metrics: ["a", "b"], counters: ["x", "y"])
  static let a = catalogue.metric("a")
  static let b = catalogue.metric("b")
  static let x = catalogue.counter("x")

  private func record(_ fill: (inout IterationRecord) -> Void) -> IterationRecord {
    var record = IterationRecord()
    fill(&record)
    return record
  }

  @Test func aFailureAddsNoSampleButItsCounters() {
    var recording = Recording(Self.catalogue)
    recording.add(
      record {
        $0.sample(Self.a, 5)
        $0.count(Self.x)
        $0.fail("timeout", "too slow")
        $0.fail("closed", "second")
        $0.sample(Self.b, 6)
      }, dueAt: 0)
    #expect(recording.iterations == 1)
    #expect(recording[Self.a] == nil && recording[Self.b] == nil)
    #expect(recording[Self.x] == 1)
    #expect(recording.errors.entries.map(\.kind) == ["timeout"])
    #expect(recording.errors.entries.first?.example == "too slow")
  }

  /// Memory that is taken before a run is no sample.
  @Test func aReservedRecordingIsEmptyAndMergesExactly() {
    var reserved = Recording(Self.catalogue, isReserved: true)
    #expect(reserved[Self.a] == nil && reserved[Self.b] == nil)
    var plain = Recording(Self.catalogue)
    reserved.sample(Self.a, 7)
    plain.sample(Self.a, 9)
    plain.merge(reserved)
    #expect(plain[Self.a]?.totalCount == 2 && plain[Self.b] == nil)
    reserved.merge(plain)
    #expect(reserved[Self.a]?.totalCount == 3 && reserved[Self.b] == nil)
  }

  @Test(arguments: [true, false]) func whatWasKeptCountsWhateverBecomesOfTheRest(_ isCensored: Bool) {
    var recording = Recording(Self.catalogue)
    recording.add(
      record {
        $0.sample(Self.a, 5)
        $0.keepSamples()
        $0.sample(Self.b, 6)
        if isCensored { $0.censor() } else { $0.fail("hold: closed", "cut") }
      }, dueAt: 0, endedAt: 9)
    #expect(recording[Self.a]?.totalCount == 1 && recording[Self.b] == nil)
    #expect(recording.iterations == (isCensored ? 0 : 1) && recording.censored == (isCensored ? 1 : 0))
    var reused = record {
      $0.sample(Self.a, 5); $0.keepSamples()
    }
    reused.reset()
    reused.sample(Self.a, 7)
    reused.fail("x", "y")
    recording.add(reused, dueAt: 0)
    #expect(recording[Self.a]?.totalCount == 1, "a record that is used again has kept nothing")
  }

  @Test func aCensoredIterationIsNeitherSuccessNorFailure() {
    var recording = Recording(Self.catalogue)
    recording.add(
      record {
        $0.sample(Self.a, 5)
        $0.count(Self.x)
        $0.fail("timeout", "")
        $0.censor()
      }, dueAt: 0)
    #expect(recording.iterations == 0 && recording.censored == 1)
    #expect(recording[Self.a] == nil && recording[Self.x] == 0 && recording.errors.total == 0)
  }

  @Test func latenessIsFromTheDueInstantToTheFirstWriteAndNeverNegative() {
    var recording = Recording(Self.catalogue)
    recording.add(
      record {
        $0.wrote(at: 1500)
        $0.wrote(at: 9_000_000)
      }, dueAt: 1000)
    recording.add(record { $0.wrote(at: 10) }, dueAt: 1000)
    recording.add(record { _ in }, dueAt: 1000)
    #expect(recording.lateness.totalCount == 2)
    #expect(recording.lateness.min == 1)
    #expect((500...501).contains(recording.lateness.max))
  }

  @Test func aRecordIsEmptyAfterItsReset() {
    var record = record {
      $0.sample(Self.a, 1)
      $0.count(Self.x)
      $0.wrote(at: 1)
      $0.fail("k", "e")
    }
    record.reset()
    #expect(record.ending == .success && record.firstByteWrittenAt == nil)
    #expect(record.samples.isEmpty && record.counts.isEmpty)
  }

  @Test(arguments: 0..<5) func mergingPartsEqualsOneRecordingOfTheUnion(_ seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var whole = Recording(Self.catalogue)
    var parts = (0..<3).map { _ in Recording(Self.catalogue) }
    for _ in 0..<500 {
      var record = IterationRecord()
      if Bool.random(using: &random) {
        record.sample(Self.a, Nanoseconds(.random(in: 1...1_000_000_000, using: &random)))
      }
      if Int.random(in: 0..<10, using: &random) == 0 { record.sample(Self.b, 7) }
      if Bool.random(using: &random) { record.count(Self.x) }
      record.wrote(at: Instant(nanoseconds: .random(in: 1000...2000, using: &random)))
      switch Int.random(in: 0..<6, using: &random) {
      case 0: record.fail("http_\(Int.random(in: 500...504, using: &random))", "example")
      case 1: record.censor()
      default: break
      }
      whole.add(record, dueAt: 1000)
      parts[Int.random(in: 0..<3, using: &random)].add(record, dueAt: 1000)
    }
    var merged = Recording(Self.catalogue)
    for part in parts { merged.merge(part) }
    #expect(merged.iterations == whole.iterations && merged.censored == whole.censored)
    #expect(merged[Self.x] == whole[Self.x])
    for metric in [Self.a, Self.b] {
      #expect(merged[metric]?.recordedBuckets() == whole[metric]?.recordedBuckets())
    }
    #expect(merged.lateness.recordedBuckets() == whole.lateness.recordedBuckets())
    let kinds: (Recording) -> [String: UInt64] = { recording in
      Dictionary(uniqueKeysWithValues: recording.errors.entries.map { ($0.kind, $0.count) })
    }
    #expect(kinds(merged) == kinds(whole))
  }

  @Test func aCatalogueFindsItsNamesAndNoMetricHasSamplesAtFirst() {
    let recording = Recording(Self.catalogue)
    #expect(Self.a != Self.b)
    #expect(recording[Self.a] == nil && recording[Self.x] == 0)
  }
}

@Suite struct ErrorTallyTests {
  @Test func kindsKeepTheirOrderCountAndFirstExample() {
    var tally = ErrorTally()
    for (kind, example) in [("b", "1"), ("a", "2"), ("b", "3")] { tally.add(kind: kind, example: example) }
    #expect(tally.entries.map(\.kind) == ["b", "a"])
    #expect(tally.entries.map(\.count) == [2, 1])
    #expect(tally.entries.map(\.example) == ["1", "2"])
    #expect(tally.total == 3 && tally.count(of: "b") == 2 && tally.count(of: "c") == 0)
  }

  @Test func aTargetCannotMakeItGrow() {
    var tally = ErrorTally()
    for number in 0..<1000 { tally.add(kind: "kind_\(number)", example: String(repeating: "x", count: 10_000)) }
    #expect(tally.entries.count <= ErrorTally.kindLimit + 1)
    #expect(tally.total == 1000)
    #expect(tally.count(of: "other") == UInt64(1000 - ErrorTally.kindLimit))
    #expect(tally.entries.allSatisfy { $0.example.count <= ErrorTally.exampleLimit })
  }

  /// One Character can be of any length.
  @Test func anExampleOfCombiningMarksIsBoundedToo() {
    var tally = ErrorTally()
    tally.add(kind: "refused", example: "e" + String(repeating: "\u{301}", count: 1_000_000))
    #expect((tally.entries.first?.example.utf8.count ?? 0) <= 4 * ErrorTally.exampleLimit)
  }

  @Test func mergingFullTalliesKeepsTheBoundAndTheTotal() {
    var sum = ErrorTally()
    for part in 0..<3 {
      var tally = ErrorTally()
      for number in 0..<60 { tally.add(kind: "\(part)-\(number)", example: "") }
      sum.merge(tally)
    }
    #expect(sum.total == 180)
    #expect(sum.entries.count <= ErrorTally.kindLimit + 1)
  }
}
