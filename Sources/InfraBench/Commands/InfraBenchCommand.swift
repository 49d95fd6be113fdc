package import ArgumentParser
import Glibc
import ProcessControl
import Results
import TextFormatting

/// `infrabench`: all tools in one program, of which `bench-allocation` and the others are launchers.
///
/// This command shows help, the version, and completion scripts. A tool's words are read by the tool alone, so that they
/// mean the same by each of its names.
package struct InfraBenchCommand: ParsableCommand {
  /// The tools, in the order of the help: the benchmarks in the order in which bench-suite runs them, bench-suite, and
  /// those that measure nothing themselves. A new tool is added here; a new benchmark to ``SuiteTool/all``.
  static let tools: [any ToolCommand.Type] =
    SuiteTool.all.map(\.command) + [
      VerifyCommand.self, BenchSuiteCommand.self, CompareCommand.self, FleetCommand.self, PlanCommand.self,
      ReportCommand.self,
    ]

  package static let configuration = CommandConfiguration(
    commandName: "infrabench",
    abstract: "Benchmarks and load tests for gateways with a pool of pre-warmed sessions.",
    usage: "infrabench <tool> [options of the tool]",
    discussion: """
      Each tool is also a program: 'infrabench allocation' is 'bench-allocation'. Each prints a script for a shell's \
      completions, such as 'bench-api --generate-completion-script bash' (zsh, fish).

      Examples:
        infrabench allocation --count 20
        infrabench e2e --help
        infrabench compare results/2026-06-01 results/2026-06-02
      """,
    version: SuiteVersion.version,
    subcommands: tools.map { subcommand($0) })

  package init() {}

  /// Does the work of the whole process, and ends it.
  ///
  /// - Parameter words: the command line with the program's name.
  package static func runAsProgram(_ words: [String]) async {
    switch Invocation(words, tools: tools) {
    case .tool(let tool, let arguments):
      ProcessName.set(tool.programName)
      await tool.runAsTool(arguments)
    case .own(let arguments): main(arguments)
    case .wrong(let problem):
      var problems = Problems()
      problems.add(whole: problem)
      let console = Console(print: .text, isQuiet: false)
      console.talk("\(problems)See 'infrabench --help'.\n")
      exit(withError: ExitCode(await console.exitStatus(EX_USAGE)))
    }
  }

  private static func subcommand<Tool: ToolCommand>(_ tool: Tool.Type) -> any ParsableCommand.Type {
    Subcommand<Tool>.self
  }

  /// A tool in the help and in the completion scripts of `infrabench`. It is never run: ``Invocation`` finds the tool
  /// before the command line is parsed.
  private struct Subcommand<Tool: ToolCommand>: ParsableCommand {
    static var configuration: CommandConfiguration {
      CommandConfiguration(commandName: Tool.shortName, abstract: Tool.configuration.abstract)
    }

    @OptionGroup var tool: Tool
  }
}

/// What a command line asks of the program `infrabench`.
enum Invocation {
  /// A tool, and the words for it.
  case tool(any ToolCommand.Type, [String])
  /// `infrabench` itself, and the words for it: options such as `--help`.
  case own([String])
  /// Wrong usage, as a sentence for people.
  case wrong(String)

  /// - Parameter words: The command line. Its first word is the name by which the program was called: a tool's where a
  ///   launcher or a symbolic link has it.
  init(_ words: [String], tools: [any ToolCommand.Type]) {
    func tool(_ name: String) -> (any ToolCommand.Type)? {
      tools.first { $0.programName == name || $0.shortName == name }
    }
    func refusal(of name: String) -> String {
      let names = tools.flatMap { name.hasPrefix("bench-") ? [$0.programName] : [$0.shortName, $0.programName] }
      let nearest = name.utf8.count <= 64 ? NearestName.of(name, in: names) : nil
      return "'\(PlainText.line(String(name.prefix(64))))' is no tool of infrabench"
        + (nearest.map { ": the nearest name is '\($0)'" } ?? "")
    }
    let name = String(words.first?.split(separator: "/").last ?? "")
    let arguments = Array(words.dropFirst())
    if name.hasPrefix("bench-") {
      self = tool(name).map { .tool($0, arguments) } ?? .wrong(refusal(of: name))
      return
    }
    switch arguments.first {
    case nil: self = .wrong("no tool is named: write 'infrabench \(tools.first?.shortName ?? "TOOL")', for example")
    case let word? where word.hasPrefix("-"): self = .own(arguments)
    case "help":
      // `infrabench help allocation` is `infrabench allocation --help`.
      guard let named = arguments.dropFirst().first else { self = .own(["--help"]); return }
      self = tool(named).map { .tool($0, ["--help"]) } ?? .wrong(refusal(of: named))
    case let word?: self = tool(word).map { .tool($0, Array(arguments.dropFirst())) } ?? .wrong(refusal(of: word))
    }
  }
}
