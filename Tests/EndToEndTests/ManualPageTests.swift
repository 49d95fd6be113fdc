import Foundation
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// The manual pages that `scripts/man-pages.sh` makes of the built programs, as `man` and `mandoc` read them.
@Suite(
  .wholeSuiteOnly, .timeLimit(.minutes(2)),
  .enabled(if: Tool.isInstalled("python3"), "needs python3, which writes the pages"))
struct ManualPageTests {
  private static let root = {
    var url = URL(filePath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url
  }()

  /// Made once for all tests.
  private static let made = Task { try await make() }

  private static func make() async throws -> Scratch {
    let scratch = try Scratch()
    let programs = URL(filePath: try Tool(name: "infrabench").path).deletingLastPathComponent().path
    let made = try await Tool.start(
      [root.appending(path: "scripts/man-pages.sh").path, scratch("man"), programs],
      environment: ["SOURCE_DATE_EPOCH": "1780272000"], in: scratch.path
    ).end()
    try #require(made.status == .exited(0) && made.standardError.isEmpty, "\(made)")
    return scratch
  }

  private static let programs =
    ["infrabench", "mock-gateway", "warm-task"] + InfraBenchCommand.tools.map { $0.programName }

  private static func shown(_ name: String, in scratch: Scratch) async throws -> String {
    let man = try await Tool.start(
      ["/usr/bin/env", "man", "--warnings", "-E", "UTF-8", "-l", scratch("man/\(name).1")],
      environment: ["MANWIDTH": "100", "MANPAGER": "cat", "LC_ALL": "C.UTF-8", "GROFF_NO_SGR": "1"], in: scratch.path
    ).end()
    #expect(man.status == .exited(0) && man.standardError.isEmpty, "\(name): \(man.standardError)")
    // A terminal's bold and underlined letters are typed twice.
    return man.standardOutput.replacing(/.\u{8}/, with: "")
  }

  @Test(.enabled(if: Tool.isInstalled("man"), "needs man (man-db)"))
  func eachPageHasAllOptionsAndEveryExampleOnALineOfItsOwn() async throws {
    let scratch = try await Self.made.value
    #expect(scratch.names(in: "man") == Self.programs.map { "\($0).1" }.sorted())
    for name in Self.programs {
      let page = try await Self.shown(name, in: scratch)
      let help = try await Tool(name: name).run(
        ["--help"], environment: ["COLUMNS": "1000"], in: scratch.path
      ).standardOutput
      let lines = Set(page.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) })
      for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"] {
        #expect(page.contains("\n\(heading)\n"), "\(name): \(heading)")
      }
      let options = help.matches(of: /(?m)^  (?:-\w, )?(--[a-z-]+)/).map { String($0.output.1) }
      #expect(options.contains("--version"))
      for option in options {
        #expect(lines.contains { $0.hasPrefix(option) || $0.hasPrefix("-h, \(option)") }, "\(name): \(option)")
      }
      let examples = try #require(help.split(separator: /(?i)\nexamples:?\n/).last).split(separator: "\n\n")[0]
        .split(separator: "\n").filter {
          $0.contains("\(name) ") || $0.hasSuffix(name) || $0.contains("run-all-tests.sh")
        }
      #expect(!examples.isEmpty, "\(name)")
      for example in examples {
        // An installed suite has no script beside it.
        let command = example.trimmingCharacters(in: .whitespaces).replacing("run-all-tests.sh", with: name)
        #expect(lines.contains(command), "\(name): \(command)")
      }
      #expect(name == "bench-suite" || !page.contains("run-all-tests.sh"))
    }
  }

  @Test(.enabled(if: Tool.isInstalled("mandoc"), "needs mandoc; scripts/setup.sh peers installs it"))
  func mandocFindsNothingToComplainOf() async throws {
    let scratch = try await Self.made.value
    for name in Self.programs {
      let lint = try await Tool.start(
        ["/usr/bin/env", "mandoc", "-T", "lint", scratch("man/\(name).1")], in: scratch.path
      ).end()
      #expect(lint.status == .exited(0) && lint.standardOutput.isEmpty && lint.standardError.isEmpty, "\(lint)")
    }
  }

  @Test func withoutBuiltProgramsItSaysWhatToDo() async throws {
    let scratch = try Scratch()
    let script = Self.root.appending(path: "scripts/man-pages.sh").path
    let unbuilt = try await Tool.start([script, scratch("man"), scratch.path], in: scratch.path).end()
    #expect(unbuilt.status == .exited(1) && unbuilt.standardError.contains("swift build -c release"), "\(unbuilt)")
    let wrong = try await Tool.start([script], in: scratch.path).end()
    #expect(wrong.status == .exited(64) && wrong.standardError.contains("man-pages.sh DIR"), "\(wrong)")
  }
}
