import ArgumentParser
import Latency
import LoadEngine
import Testing
import TestSupport

@testable import InfraBench
@testable import Results

@Suite struct ProgressTests {
  private func load(count: Int?) throws -> LoadSettings {
    var reader = OptionReader(environment: [:])
    var load = reader.load(try LoadOptions.parse([]), try ArrivalOptions.parse([]), defaultCount: 1)
    load.count = count
    return load
  }

  private func line(_ progress: ProgressCounter, count: Int?, seconds: Double, rate: Double) throws -> String {
    ProgressLine(progress, of: try load(count: count), elapsed: .seconds(seconds), rate: rate).text
  }

  @Test func whatIsNotKnownIsLeftOut() throws {
    #expect(try line(ProgressCounter(), count: nil, seconds: 0.25, rate: 0) == "0 s: 0 done, 0 failed")
    #expect(try line(ProgressCounter(), count: 7, seconds: 10.9, rate: 0) == "10 s: 0 of 7 done, 0 failed")
  }

  @Test func allThatIsKnownIsSaid() throws {
    let progress = ProgressCounter()
    for _ in 0..<3 { progress.begin() }
    progress.add(.success)
    progress.add(.failure(kind: "k", example: ""))
    progress.provide(dropped: { 4 })
    progress.provide(waiting: { 7 })
    progress.provide(percentiles: { (p50: .microseconds(1020), p99: .microseconds(4100)) })
    #expect(
      try line(progress, count: 5000, seconds: 3601, rate: 199.96)
        == "3601 s: 2 of 5000 done, 200/s, 1 failed, 4 dropped, 7 waiting, P50 1.02ms, P99 4.10ms, 1 in flight")
  }

  /// So many seconds after the clock's first instant.
  private func at(_ seconds: UInt64) -> Instant { .distantPast + .seconds(seconds) }

  @Test func theRateIsThatOfTheLastTenSeconds() {
    var rate = RecentRate(begin: at(5))
    #expect(rate.add(at: at(5), done: 0) == 0)
    for number in 1...10 as ClosedRange<UInt64> {
      #expect(rate.add(at: at(5 + number), done: 100 * number) == 100)
    }
    // The target stalls: the rate falls, and is zero a window later.
    #expect(rate.add(at: at(20), done: 1000) == 50)
    #expect(rate.add(at: at(25), done: 1000) == 0)
    #expect(rate.add(at: at(26), done: 1070) > 0)
  }

  @Test func aReadingEveryTenSecondsIsComparedWithTheLast() {
    var rate = RecentRate(begin: at(0))
    #expect(rate.add(at: at(10), done: 100) == 10)
    #expect(rate.add(at: at(20), done: 400) == 30)
    #expect(rate.add(at: at(30), done: 400) == 0)
  }

  @Test(arguments: [(0, ""), (1, ""), (2, "…"), (3, "a…"), (4, "aµ…"), (5, "aµ·d"), (80, "aµ·d")])
  func aLineIsCutBeforeTheLastColumn(_ columns: Int, _ text: String) {
    #expect(Terminal.fit("aµ·d", columns: columns) == text)
  }

  @Test(arguments: [
    (28, "1 s: 2 done, 3/s, 0 failed"), (27, "1 s: 2 done, 3/s, 0 failed"), (26, "1 s: 2 done, 3/s, …"),
    (20, "1 s: 2 done, 3/s, …"), (19, "1 s: 2 done, …"), (15, "1 s: 2 done, …"), (14, "1 s: 2 done,…"),
    (12, "1 s: 2 don…"), (6, "1 s:…"),
  ])
  func aLineIsShortenedByWholeFacts(_ columns: Int, _ text: String) {
    #expect(Terminal.fit("1 s: 2 done, 3/s, 0 failed", columns: columns) == text)
    #expect(text.count < columns)
  }

  @Test(
    arguments: [
      ("embedded", "http://127.0.0.1:1", .ownChild), ("remote", "http://127.0.0.1:1", .loopback),
      ("remote", "https://localhost:8443/base", .loopback), ("remote", "http://[::1]:80", .loopback),
      ("remote", "http://gateway.example", .elsewhere), ("remote", "nonsense", .elsewhere),
      ("directory", nil, .elsewhere),
    ] as [(String, String?, GeneratorConditions.TargetLocation)])
  func theTargetsPlaceFollowsFromItsName(
    _ kind: String, _ url: String?, _ place: GeneratorConditions.TargetLocation
  ) {
    #expect(ResultDocument.Target(kind: kind, gatewayUrl: url, ecsEndpointUrl: nil).place == place)
  }

  @Test func anECSEndpointIsNoGateway() {
    let ecs = ResultDocument.Target(kind: "remote", gatewayUrl: nil, ecsEndpointUrl: "http://127.0.0.1:1")
    #expect(ecs.place == .loopback && !ecs.isGateway)
    #expect(ResultDocument.Target(kind: "embedded", gatewayUrl: "http://127.0.0.1:1", ecsEndpointUrl: nil).isGateway)
  }

  @Test func theAdviceOnSaturationSaysWhatToChange() {
    for remedy in ["fewer users", "another machine", "--threads", "stop what else"] {
      #expect(Saturation.advice.contains(remedy))
    }
  }
}
