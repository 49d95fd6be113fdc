import TestSupport
import Testing
@testable import Results

/// The live line, on a real terminal.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LiveLineTests {
  /// One warm task that takes half a second to be replaced: some seconds with an iteration's line now and then.
  private static let slowPool = ["--count", "5", "--pool-size", "1", "--max-tasks", "2", "--task-start-delay", "400ms"]
  private static let eraseLine = "\r\u{1b}[K"

  private func run(_ arguments: [String] = [], columns: Int = 100, term: String = "xterm") async throws -> String {
    let (status, output) = try await PseudoTerminal.run(
      "bench-allocation", Self.slowPool + ["--no-default-thresholds"] + arguments, columns: columns,
      environment: ["TERM": term])
    #expect(status == 0 || output.contains("SATURATED"), "\(output)")
    return output
  }

  /// What was drawn as a live line, in its order.
  private func liveLines(_ output: String) -> [String] {
    output.components(between: Self.eraseLine).filter { $0.contains(" of 5 d") }
  }

  @Test(.wholeSuiteOnly) func theLiveLineIsRefreshedAndGivesWayToWholeLinesAndIsGoneAtTheEnd() async throws {
    let output = try await run()
    let lines = liveLines(output)
    #expect(lines.count >= 4, "\(output)")
    #expect(lines.contains { $0.contains(#/^\d+ s: /#) && $0.contains(" of 5 done") })
    #expect(lines.contains { $0.contains("/s, 0 failed, P50 ") && $0.contains("s, P99 ") && $0.contains(" in flight") })
    let screen = PseudoTerminal.screen(after: output)
    #expect(screen.filter { $0.hasPrefix("Run ") && $0.contains(": allocation_time=") }.count == 5, "\(screen)")
    #expect(!screen.contains { $0.contains(" of 5 done") }, "\(screen)")
    #expect(!screen.contains { $0.contains("\u{1b}") }, "\(screen)")
    #expect(screen.contains { $0.hasPrefix("verdict: ") } && screen.contains { $0.hasPrefix("wrote ") })
    #expect(screen.filter { $0.hasPrefix("note: ") || $0.hasPrefix("Run ") }.allSatisfy { !$0.hasSuffix(" ") })
  }

  @Test(.wholeSuiteOnly) func aNarrowTerminalCutsTheLine() async throws {
    let lines = liveLines(try await run(columns: 16))
    #expect(!lines.isEmpty && lines.allSatisfy { $0.count <= 15 && $0.hasSuffix("…") }, "\(lines)")
  }

  @Test(.wholeSuiteOnly, arguments: [(["--quiet"], "xterm"), ([], "dumb")])
  func withoutATerminalThatErasesOrWithQuietThereIsNone(_ arguments: [String], _ term: String) async throws {
    let output = try await run(arguments, term: term)
    #expect(!output.contains(Self.eraseLine) && !output.contains(" of 5 d"))
    #expect(output.contains("Run 5: "))
  }
}

extension String {
  /// The parts behind each `mark`, up to the next control character.
  fileprivate func components(between mark: String) -> [String] {
    var parts: [String] = []
    var rest = unicodeScalars[...]
    while let found = rest.firstRange(of: Array(mark.unicodeScalars)) {
      rest = rest[found.upperBound...]
      parts.append(String(rest.prefix { $0.value >= 0x20 }))
    }
    return parts
  }
}
