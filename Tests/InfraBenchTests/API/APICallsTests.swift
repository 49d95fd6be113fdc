import AWS
import Latency
import LoadEngine
import Testing
import TestSupport

@testable import InfraBench
@testable import Results

/// Which metric a call belongs to, and what is said of those that belong to none.
@Suite struct APICallsTests {
  private static let kept = TransferTimings(
    sentAt: 1_000, answeredAt: 201_000, reusedConnection: true, firstByte: 150_000, total: 199_000)
  private static let opened = TransferTimings(
    sentAt: 1_000, answeredAt: 901_000, nameLookup: 100_000, connect: 200_000, tls: 300_000, firstByte: 850_000,
    total: 899_000)

  private func counts(_ calls: APICalls) -> [String: UInt64] {
    let names = APIBenchmark.catalogue.metrics.map { name in
      (name, calls.recording[APIBenchmark.catalogue.metric(name)]?.totalCount ?? 0)
    }
    return Dictionary(uniqueKeysWithValues: names).filter { $0.value > 0 }
  }

  private func counter(_ name: String, _ calls: APICalls) -> UInt64 {
    calls.recording[APIBenchmark.catalogue.counter(name)]
  }

  private func throttled() -> AWSError {
    AWSError(.throttled, code: "ThrottlingException", message: "", httpStatus: 400)
  }

  @Test func theFirstCallIsApartAndItsPhasesAreThere() {
    var calls = APICalls()
    #expect(calls.add(Self.opened, of: .listTasks, attempts: 1) == .first)
    #expect(calls.add(Self.kept, of: .describeTasks, attempts: 1) == .kept)
    #expect(calls.add(Self.kept, of: .listTasks, attempts: 1) == .kept)
    #expect(
      counts(calls) == [
        "first_call": 1, "name_lookup": 1, "connect": 1, "tls": 1, "list_tasks": 1, "list_tasks_first_byte": 1,
        "describe_tasks": 1, "describe_tasks_first_byte": 1,
      ])
    #expect(counter("reconnects", calls) == 0)
    #expect(calls.notes.isEmpty)
    let listed = calls.recording[APIBenchmark.catalogue.metric("list_tasks")]
    // In the histogram's three digits.
    #expect(abs(Int(listed?.value(atPercentile: 50) ?? 0) - 200_000) <= 200)
  }

  @Test func aLaterCallThatConnectedAnewIsNoCallOnAKeptConnection() {
    var calls = APICalls()
    calls.add(Self.opened, of: .listTasks, attempts: 1)
    #expect(calls.add(Self.opened, of: .describeTasks, attempts: 1) == .new)
    #expect(calls.add(Self.opened, of: .listTasks, attempts: 1) == .new)
    #expect(
      counts(calls) == [
        "first_call": 1, "describe_tasks_new_connection": 1, "list_tasks_new_connection": 1, "name_lookup": 3,
        "connect": 3, "tls": 3,
      ])
    #expect(counter("reconnects", calls) == 2)
    #expect(calls.notes.contains { $0.hasPrefix("2 of 3 calls opened a connection anew") })
    #expect(calls.notes.contains { $0.contains("no call found a kept connection") })
  }

  @Test func afterAFailedFirstCallThereIsNoFirstCall() {
    for timings in [Self.kept, Self.opened] {
      var calls = APICalls()
      calls.failed(throttled())
      calls.add(timings, of: .listTasks, attempts: 1)
      #expect(counts(calls)["first_call"] == nil)
      #expect(calls.notes.contains { $0.contains("first_call has no sample") })
      #expect(counter("throttles", calls) == 1)
    }
  }

  @Test func aFirstCallThatWasTriedAgainIsNone() {
    var calls = APICalls()
    #expect(calls.add(Self.kept, of: .listTasks, attempts: 2) == .kept)
    #expect(counter("retries", calls) == 1)
    var others = APICalls()
    #expect(others.add(Self.opened, of: .listTasks, attempts: 2) == .new)
    #expect(others.notes.contains { $0.hasPrefix("1 tries were made again") })
  }

  @Test func aPhaseOfLessThanAMicrosecondIsNoClampedValue() throws {
    var calls = APICalls()
    var timings = Self.opened
    timings.nameLookup = 0
    calls.add(timings, of: .listTasks, attempts: 1)
    let histogram = try #require(calls.recording[APIBenchmark.catalogue.metric("name_lookup")])
    #expect(histogram.totalCount == 1 && histogram.clampedCount == 0)
  }

  @Test(
    arguments: [
      ([], nil, ""), ([0, 0], .int(0), ""), ([5, 5], .int(5), ""), ([3, 7, 5], .string("3–7"), ""),
      ([0, 5], .string("0–5"), "not every listing had tasks"),
    ] as [([Int], JSONValue?, String)])
  func howManyTasksThereWereIsSaid(listings: [Int], finding: JSONValue?, note: String) {
    var calls = APICalls()
    for tasks in listings { calls.listed(tasks) }
    #expect(calls.findings["tasks_listed"] == finding)
    #expect(note.isEmpty ? calls.notes.isEmpty : calls.notes.contains { $0.contains(note) })
  }
}
