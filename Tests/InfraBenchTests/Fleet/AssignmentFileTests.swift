import FoundationEssentials
import Gateway
import Latency
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

@Suite struct AssignmentFileTests {
  private func file(
    _ scratch: ScratchDirectory, _ shard: Int, _ lines: [(String, UInt64, UInt64?)]
  ) throws -> (shard: Int, path: String, offset: Double) {
    let path = "\(scratch.path)/\(shard).tsv"
    let text = AssignmentFile.text(
      lines.map { .init(task: $0.0, from: .milliseconds($0.1), to: $0.2.map { .milliseconds($0) }) })
    try Data(text.utf8).write(to: URL(filePath: path))
    return (shard, path, 0)
  }

  private func duplicates(_ shards: [[(String, UInt64, UInt64?)]], offsets: [Double] = []) throws -> UInt64 {
    let scratch = try ScratchDirectory()
    var files = try shards.enumerated().map { try file(scratch, $0.offset, $0.element) }
    for (place, offset) in offsets.enumerated() { files[place].offset = offset }
    let across = AssignmentsAcross(files, uncertainty: .milliseconds(2))
    #expect(across.unreadable.isEmpty)
    return across.duplicates
  }

  @Test func `a task that two shards had at one time is counted once for each assignment of the later one`() throws {
    #expect(try duplicates([[("t", 0, 100)], [("t", 50, 150)]]) == 1)
    #expect(try duplicates([[("t", 0, 100)], [("t", 10, 20), ("t", 30, 40)], [("t", 35, 60)]]) == 3)
    #expect(try duplicates([[("t", 0, nil)], [("t", 5000, nil)]]) == 1)
  }

  @Test func `tasks that were given back, or are of one shard, are none`() throws {
    #expect(try duplicates([[("t", 0, 100), ("t", 20, 30)], [("t", 100, 150), ("u", 0, nil)]]) == 0)
    // The clocks are uncertain by 2 ms.
    #expect(try duplicates([[("t", 0, 100)], [("t", 99, 150)]]) == 0)
    #expect(try duplicates([[("t", 0, 100)], [("t", 97, 150)]]) == 1)
  }

  @Test func `times are compared by the clock that all shards know`() throws {
    // The second shard's clock is 60 ms ahead: its times are 60 ms too late.
    #expect(try duplicates([[("t", 0, 100)], [("t", 150, 250)]], offsets: [0, 60]) == 1)
    #expect(try duplicates([[("t", 0, 100)], [("t", 170, 250)]], offsets: [0, 60]) == 0)
  }

  @Test func `a random ledger gives what comparing each with each gives`() throws {
    var random = SeededRandom(seed: 5)
    var shards: [[(String, UInt64, UInt64?)]] = []
    for _ in 0..<4 {
      // A shard has a task once at a time, as its own ledger counts the rest.
      var free = [UInt64](repeating: 0, count: 6)
      shards.append(
        (0..<40).map { _ in
          let task = Int.random(in: 0..<6, using: &random)
          let from = free[task] + UInt64.random(in: 10...400, using: &random)
          free[task] = from + UInt64.random(in: 10...300, using: &random)
          return ("task-\(task)", from, free[task])
        })
    }
    var expected: UInt64 = 0
    let all = shards.enumerated().flatMap { shard, lines in lines.map { (shard, $0.0, $0.1, $0.2 ?? .max) } }
    for one in all {
      let isHeld = all.contains { other in
        other.0 != one.0 && other.1 == one.1 && other.2 < one.2 && other.3 > one.2 + 2 && one.3 > one.2 + 2
      }
      if isHeld { expected += 1 }
    }
    // Assignments of one instant have no order; the draw has none of them.
    try #require(Set(all.map { "\($0.1) \($0.2)" }).count == all.count || expected > 0)
    #expect(expected > 10)
    #expect(try duplicates(shards) == expected)
  }

  @Test func `a file of another form is said, and not taken for no duplicates`() throws {
    let scratch = try ScratchDirectory()
    for (number, text) in ["", "task\tfrom\tto\nt\t1\n", "task\tfrom\tto\nt\tx\t2\n", "junk"].enumerated() {
      let path = "\(scratch.path)/\(number)"
      try Data(text.utf8).write(to: URL(filePath: path))
      let across = AssignmentsAcross([(0, path, 0)], uncertainty: .zero)
      #expect(across.unreadable.map(\.reason) == ["is no list of assignments"])
    }
    let across = AssignmentsAcross([(3, "\(scratch.path)/none", 0)], uncertainty: .zero)
    #expect(across.unreadable.map(\.shard) == [3])
  }

  @Test func `a shard's log has when each task was given and when its release was sent`() {
    var log = AssignmentLog(limit: 3)
    let begin = Instant(nanoseconds: 1_000)
    log.assigned(TaskID("a"), at: begin + 10)
    log.assigned(TaskID("b"), at: begin + 20)
    log.gaveBack(TaskID("a"), at: begin + 30)
    log.gaveBack(TaskID("a"), at: begin + 40)
    log.assigned(TaskID("a"), at: begin + 50)
    log.assigned(TaskID("c"), at: begin + 60)
    #expect(log.isOverLimit && log.count == 3)
    #expect(
      Array(log.lines(since: begin)) == [
        .init(task: "a", from: 10, to: 30), .init(task: "b", from: 20, to: nil), .init(task: "a", from: 50, to: nil),
      ])
  }
}
