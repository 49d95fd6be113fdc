import ArgumentParser

/// The completion script of a tool, as its parser writes it, without the subcommand `help`.
///
/// swift-argument-parser 1.8 gives each program a subcommand `help` in what it describes, also one that has no subcommands and
/// refuses the word (`ToolInfoV0`, "a hack to inject the help command"). Bash and fish would offer it. In zsh it is worse: words
/// that repeat beside a subcommand are an error of `_arguments`, so that bench-compare, bench-report and bench-suite would
/// get no completion at all.
enum CompletionScript {
  /// The option that asks for a script.
  static let option = "--generate-completion-script"

  /// The script without the lines that offer `help`.
  static func withoutHelp(_ script: String, of program: String) -> String {
    script.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
      let text = String(line.drop { $0 == " " })
      let isOfBash = text == #"COMPREPLY+=($(compgen -W 'help' -- "${cur}"))"#
      let isOfZsh = text == "'(-): :->command'" || text == "'(-)*:: :->arg'"
      let isOfFish =
        text.hasPrefix("complete -c '\(program)' ")
        && (text.contains(" -fa 'help' ") || text.contains("\"\(program) help\""))
      return !(isOfBash || isOfZsh || isOfFish)
    }.joined(separator: "\n")
  }
}

extension ToolCommand {
  /// Ends the process as the parser does; a completion script is written without the subcommand that no tool has.
  static func exitProcess(with error: any Error, arguments: [String]) -> Never {
    let asksForScript = arguments.contains { $0.hasPrefix(CompletionScript.option) }
    guard asksForScript, exitCode(for: error) == .success else { exit(withError: error) }
    print(CompletionScript.withoutHelp(fullMessage(for: error), of: programName))
    exit(withError: ExitCode.success)
  }
}
