package import ArgumentParser
import FoundationEssentials
import Glibc

/// `suite-summary`: what `run-all-tests.sh` calls at its end.
package struct SummaryCommand: AsyncParsableCommand {
  /// The help.
  package static let configuration = CommandConfiguration(
    commandName: "suite-summary",
    abstract: "One summary of several tools' results: summary.md, summary.json and junit.xml.",
    discussion: """
      Called by run-all-tests.sh. Exits with the worst of the tools' statuses.

      Example:
        suite-summary --output-dir results bench-allocation=0=a.json \\
          bench-e2e=99=b.json bench-dirinit=skipped
      """,
    version: Suite.version)

  @Option(help: "Where the three files are written.")
  var outputDir = "results"

  @Argument(
    help: ArgumentHelp(
      "TOOL=STATUS=FILE of a tool that ran (FILE empty without a result); else TOOL=skipped or TOOL='not run', each with "
        + "=REASON where there is one."))
  var tools: [String] = []

  package init() {}

  package func run() async throws {
    var summary = SuiteSummary(startedAt: Timestamp(Date()).iso8601, exitStatus: 0, tools: [])
    for text in tools {
      guard let tool = Self.read(text) else {
        Console(print: .text, isQuiet: false).error("'\(text)' is wrong: write TOOL=STATUS=FILE or TOOL=skipped")
        throw ExitCode(EX_USAGE)
      }
      summary.tools.append(tool.summary)
      if let startedAt = tool.startedAt, startedAt < summary.startedAt { summary.startedAt = startedAt }
    }
    summary.exitStatus = SuiteSummary.worst(summary.tools.map(\.exitStatus))
    let report = SummaryReport(summary)
    try ResultWriter.makeDirectories(outputDir)
    try ResultWriter.replace("\(outputDir)/summary.json", with: try ResultCoding.encode(summary))
    try ResultWriter.replace("\(outputDir)/summary.md", with: report.markdown)
    try ResultWriter.replace("\(outputDir)/junit.xml", with: JUnitReport(summary).xml)
    Console(print: .text, isQuiet: false).data(report.text)
    throw ExitCode(summary.exitStatus)
  }

  /// The whole of the executable. Does not return.
  package static func runAsTool() async {
    await main()
  }

  private static func read(_ text: String) -> (summary: SuiteSummary.Tool, startedAt: String?)? {
    let parts = text.split(separator: "=", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    if parts.count >= 2, ["skipped", "not run"].contains(parts[1]) {
      return (SuiteSummary.Tool(tool: parts[0], notStarted: parts[1], reason: parts.dropFirst(2).first), nil)
    }
    guard parts.count == 3, let status = Int32(parts[1]) else { return nil }
    let document = FileManager.default.contents(atPath: parts[2])
      .flatMap { try? ResultCoding.decode(String(decoding: $0, as: UTF8.self)) }
    let summary = SuiteSummary.Tool(
      tool: parts[0], exitStatus: status, file: document == nil ? nil : parts[2], document: document)
    return (summary, document?.startedAt)
  }
}
