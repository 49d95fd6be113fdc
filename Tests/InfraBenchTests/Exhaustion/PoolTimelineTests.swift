import Testing

@testable import InfraBench
@testable import Results

@Suite struct PoolTimelineTests {
  @Test func itsLengthIsBoundedAndItsEndIsAlwaysShown() {
    var timeline = PoolTimeline(views: [.warm], limit: 10)
    for number in 0..<1_000 { timeline.add(.init(seconds: Double(number), counts: [.warm: number])) }
    let document = timeline.document.rows
    #expect(document.count <= 11)
    #expect(document.first?["t"] == .double(0))
    #expect(document.last?["t"] == .double(999))
    let instants = timeline.points.map(\.seconds)
    #expect(instants == instants.sorted())
    #expect(
      Set(zip(instants.dropFirst(), instants).map { $0 - $1 }).count == 1, "points are evenly spread: \(instants)")
  }

  @Test func aGapIsKeptWhenItsPointGoes() {
    var timeline = PoolTimeline(views: [.warm], limit: 4)
    for number in 0..<64 {
      timeline.add(.init(seconds: Double(number), counts: [.warm: 1], gap: number == 37 ? "throttled" : nil))
    }
    #expect(timeline.document.rows.count { $0[.gap] == "throttled" } == 1, "\(timeline.document)")
  }

  @Test func aViewThatCouldNotBeHadIsAGap() {
    var timeline = PoolTimeline(views: [.listed, .running, .warm])
    timeline.add(.init(seconds: 0.5, counts: [.warm: 2]))
    #expect(timeline.document == [["t": .double(0.5), "listed": nil, "running": nil, "warm": 2]])
  }
}
