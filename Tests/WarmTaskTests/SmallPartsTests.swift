import Latency
import NIOCore
import ProcessControl
import Testing
import Transport

@testable import WarmTask

@Suite struct SmallPartsTests {
  @Test(
    arguments: [
      (["a\nb\n"], ["a", "b"], nil), (["a", "b\n", "c"], ["ab"], "c"), (["\n\n"], ["", ""], nil),
      (["123456789\n"], ["12345678", "9"], nil), (["12345678\n"], ["12345678"], nil),
      (["1234", "56789"], ["12345678"], "9"),
      (["1234567ü9\n"], ["1234567", "ü9"], nil), (["12345😀😀\n"], ["12345", "😀😀"], nil),
    ] as [([String], [String], String?)])
  func bytesBecomeLinesOfBoundedLength(chunks: [String], lines: [String], rest: String?) {
    var framer = LineFramer(maximumLength: 8)
    #expect(chunks.flatMap { framer.append(ByteBuffer(string: $0)) }.map(\.text) == lines)
    #expect(framer.finish()?.text == rest)
  }

  @Test func onlyPiecesThatGoOnSayIt() {
    var framer = LineFramer(maximumLength: 4)
    let lines = framer.append(ByteBuffer(string: "12345678\n1234\n12345"))
    #expect(lines.map(\.text) == ["1234", "5678", "1234", "1234"])
    #expect(lines.map(\.goesOn) == [true, false, false, true])
    #expect(framer.finish() == "5")
  }

  @Test(arguments: [
    ("optima headless", ["optima", "headless"]), ("  a\tb  ", ["a", "b"]),
    ("sh -c 'echo \"x y\"'", ["sh", "-c", "echo \"x y\""]),
    ("a\\ b \"c\\\"d\" ''", ["a b", "c\"d", ""]), ("--x='1 2'y", ["--x=1 2y"]),
    (#"a "\w\\""#, ["a", #"\w\"#]),
  ])
  func commandsAreSplitAsAShellWould(line: String, words: [String]) throws {
    #expect(try ShellWords.split(line) == words)
    #expect(try ShellWords.split(ShellWords.joined(words)) == words)
  }

  @Test(arguments: ["", "   ", "a 'b", "a \"b", "a\\"])
  func incompleteCommandsAreRefused(line: String) {
    #expect(throws: ShellWords.Failure.self) { try ShellWords.split(line) }
  }

  @Test func failuresWaitEverLongerUpToABoundAndHealthResets() {
    var backoff = ReplacementBackoff()
    let failed = TaskOutcome.notConnected(.refused("x"))
    let pauses = (0..<100).map { _ in backoff.pause(after: failed, lived: 0, jitter: 1) / .milliseconds(1) }
    #expect(pauses.prefix(8) == [250, 500, 1000, 2000, 4000, 8000, 15000, 15000])
    #expect(pauses.last == 15000)
    #expect(backoff.pause(after: .released, lived: 0, jitter: 1) == 0)
    #expect(backoff.pause(after: .initFailed("x"), lived: .seconds(1000), jitter: 0) == .milliseconds(125))
  }

  @Test(arguments: [
    (TaskOutcome.retired, Nanoseconds.zero, false), (.retired, .seconds(6), true), (.processEnded(.exited(1)), 0, true),
  ])
  func retirementIsHealthyOnlyAfterAWait(outcome: TaskOutcome, lived: Nanoseconds, isHealthy: Bool) {
    var backoff = ReplacementBackoff()
    #expect((backoff.pause(after: outcome, lived: lived, jitter: 0.5) == 0) == isHealthy)
  }
}
