package import ArgumentParser
import FoundationEssentials
import Glibc
import ProcessControl

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
      "TOOL=STATUS=FILE of a tool that ran (FILE empty without a result; of several runs one such word each); else "
        + "TOOL=skipped or TOOL='not run', each with =REASON where there is one."))
  var tools: [String] = []

  package init() {}

  package func run() async throws {
    var summary = SuiteSummary(startedAt: Timestamp(Date()).iso8601, exitStatus: 0, tools: [])
    for group in try await groups() {
      summary.tools.append(group.summary)
      summary.startedAt = group.results.reduce(summary.startedAt) { min($0, $1.document.startedAt) }
    }
    summary.exitStatus = SuiteSummary.worst(summary.tools.map(\.exitStatus))
    let report = SummaryReport(summary)
    try ResultWriter.makeDirectories(outputDir)
    try ResultWriter.replace("\(outputDir)/summary.json", with: try ResultCoding.encode(summary))
    try ResultWriter.replace("\(outputDir)/summary.md", with: report.markdown)
    try ResultWriter.replace("\(outputDir)/junit.xml", with: JUnitReport(summary).xml)
    let console = Console(print: .text, isQuiet: false)
    console.data(report.text)
    throw ExitCode(await console.exitStatus(summary.exitStatus))
  }

  /// The whole of the executable. Does not return.
  package static func runAsTool() async {
    EndSignals.quitWithoutBacktrace()
    await main()
  }

  /// What is known of one tool.
  private struct Group {
    var tool: String
    /// nil: it was not started.
    var status: Int32?
    /// `skipped` or `not run`, and why, where it was not started.
    var outcome = ""
    var reason: String?
    var results: [(file: String, document: ResultDocument)] = []

    init?(_ text: String) {
      let parts = text.split(separator: "=", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
      tool = parts[0]
      if parts.count >= 2, ["skipped", "not run"].contains(parts[1]) {
        (outcome, reason) = (parts[1], parts.dropFirst(2).first)
        return
      }
      guard parts.count == 3, let status = Int32(parts[1]) else { return nil }
      self.status = status
      let document = FileManager.default.contents(atPath: parts[2])
        .flatMap { try? ResultCoding.decode(String(decoding: $0, as: UTF8.self)) }
      if let document { results = [(parts[2], document)] }
    }

    var summary: SuiteSummary.Tool {
      guard let status else { return SuiteSummary.Tool(tool: tool, notStarted: outcome, reason: reason) }
      return SuiteSummary.Tool(
        tool: tool, exitStatus: status, results: results.sorted { $0.document.startedAt < $1.document.startedAt })
    }
  }

  /// The tools in the order in which they are named first.
  private func groups() async throws -> [Group] {
    var groups: [Group] = []
    for text in tools {
      guard let group = Group(text) else {
        let console = Console(print: .text, isQuiet: false)
        console.error("'\(text)' is wrong: write TOOL=STATUS=FILE or TOOL=skipped")
        throw ExitCode(await console.exitStatus(EX_USAGE))
      }
      if let index = groups.firstIndex(where: { $0.tool == group.tool }), groups[index].status != nil {
        groups[index].results += group.results
        groups[index].status = SuiteSummary.worst([groups[index].status, group.status].compactMap { $0 })
      } else {
        groups.append(group)
      }
    }
    return groups
  }
}
