import FoundationEssentials
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// The completion scripts, as the real shells read them: `--generate-completion-script SHELL` of each tool.
@Suite(.wholeSuiteOnly, .timeLimit(.minutes(2))) struct CompletionTests {
  /// Asks a shell for the completions of a command line whose cursor is at its end.
  private static func complete(_ line: String, in shell: String) async throws -> [String] {
    let scratch = try Scratch()
    let program = line.split(separator: " ").first.map(String.init) ?? ""
    let script = try await Tool(name: program).run(["--generate-completion-script", shell], in: scratch.path)
    #expect(script.status == .exited(0) && script.standardError.isEmpty, "\(script)")
    scratch.write("completion", script.standardOutput)
    scratch.directory("results")
    scratch.write("results.json", "{}")
    scratch.write("certificate.pem", "")
    let asked = scratch.write("ask", Self.question(line, in: shell))
    let answer = try await Tool.start(
      ["/usr/bin/env", shell] + (shell == "zsh" ? ["-f"] : shell == "fish" ? ["--no-config"] : []) + [asked],
      environment: ["HOME": scratch.path, "TERM": "dumb"], in: scratch.path
    ).end()
    #expect(answer.status == .exited(0), "\(answer)")
    #expect(answer.standardError.isEmpty, "\(answer.standardError)")
    return answer.standardOutput.split(whereSeparator: \.isNewline).map(String.init)
  }

  /// A script for the shell that prints the completions, one a line.
  private static func question(_ line: String, in shell: String) -> String {
    switch shell {
    case "bash":
      // What readline does at a tab: complete(1) names the function, which reads the variables and fills COMPREPLY.
      """
      source ./completion
      COMP_LINE='\(line)' COMP_POINT=${#COMP_LINE} COMP_TYPE=9 COMP_KEY=9
      read -ra COMP_WORDS <<<"$COMP_LINE"
      [[ $COMP_LINE != *' ' ]] || COMP_WORDS+=('')
      COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
      function=$(complete -p "${COMP_WORDS[0]}" | sed -E 's/.* -F ([^ ]+) .*/\\1/')
      "$function" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    case "fish": "source ./completion\ncomplete -C '\(line)' | string split -f 1 \\t; true\n"
    default:
      // A shell of its own at a pseudo-terminal, where a tab is typed. compadd, by which all matches go, also writes them to
      // a file.
      """
      zmodload zsh/zpty
      zpty shell zsh -f -i
      zpty -w shell 'PS1=; autoload -Uz compinit; compinit -u -D; source ./completion; compdef _\(line.prefix { $0 != " " }) \(line.prefix { $0 != " " })'
      zpty -w shell 'record() { builtin compadd -A found "$@"; print -rl -- $found >>matches; builtin compadd "$@" }'
      zpty -w shell 'compadd() { local -a found; record "$@" }; touch matches; echo rea""dy'
      zpty -r shell output '*ready*'
      zpty -n -w shell $'\(line)\\t'
      for attempt in {1..200}; do [[ -s matches ]] && break; sleep 0.05; done
      sleep 0.2
      zpty -d shell
      sort -u matches
      """
    }
  }

  private static let shells = ["bash", "zsh", "fish"]

  private static func need(_ shell: String) throws {
    if !Tool.isInstalled(shell) { try Test.cancel("needs \(shell): scripts/setup.sh peers installs it") }
  }

  @Test(arguments: shells) func optionsOfEachToolAreOffered(shell: String) async throws {
    try Self.need(shell)
    for tool in InfraBenchCommand.tools {
      let names = ToolOption.all(of: tool).map { "--\($0.name)" }
      // Whatever it begins with: the option is among what is offered.
      let wanted = try #require(names.first { $0 != "--help" && $0 != "--version" })
      let offered = try await Self.complete("\(tool.programName) \(wanted.dropLast(2))", in: shell)
      #expect(offered.contains(wanted), "\(tool.programName): \(offered)")
      #expect(offered.allSatisfy { $0.hasPrefix(wanted.dropLast(2)) }, "\(tool.programName): \(offered)")
    }
  }

  @Test(arguments: shells) func theToolsAndTheirOptionsAreOfferedBehindInfrabench(shell: String) async throws {
    try Self.need(shell)
    let tools = try await Self.complete("infrabench ", in: shell)
    for tool in InfraBenchCommand.tools {
      #expect(tools.contains { $0.split(separator: ":").first == Substring(tool.shortName) }, "\(tools)")
    }
    #expect(try await Self.complete("infrabench allocation --wait", in: shell).contains("--wait-for"))
  }

  @Test(arguments: shells) func valuesAreOfferedWhereTheyAreKnown(shell: String) async throws {
    try Self.need(shell)
    let kinds = try await Self.complete("bench-allocation --print ", in: shell)
    for kind in ["text", "json", "md"] { #expect(kinds.contains(kind), "\(kinds)") }
    #expect(try await Self.complete("bench-suite --only bench-a", in: shell) == ["bench-allocation", "bench-api"])
    #expect(try await Self.complete("bench-allocation --ca-file cert", in: shell) == ["certificate.pem"])
    let files = try await Self.complete("bench-report res", in: shell)
    #expect(files.contains("results.json"), "\(files)")
    let folders = try await Self.complete("bench-allocation --output-dir res", in: shell)
    #expect(folders.contains { $0.hasPrefix("results") } && !folders.contains("results.json"), "\(folders)")
  }

  /// The parser's library offers a subcommand `help`, which no tool has.
  @Test(arguments: shells) func nothingIsOfferedThatTheToolRefuses(shell: String) async throws {
    try Self.need(shell)
    for tool in ["bench-allocation", "bench-compare"] {
      let offered = try await Self.complete("\(tool) he", in: shell)
      #expect(!offered.contains { $0.hasPrefix("help") }, "\(tool): \(offered)")
    }
    let refused = try await Tool(name: "bench-allocation").run(["help"], in: "/")
    #expect(refused.status == .exited(64))
  }

  @Test func anUnknownShellIsWrongUsage() async throws {
    let scratch = try Scratch()
    for program in ["infrabench"] + InfraBenchCommand.tools.map({ $0.programName }) {
      let outcome = try await Tool(name: program).run(["--generate-completion-script", "ksh"], in: scratch.path)
      #expect(outcome.status == .exited(64) && outcome.standardOutput.isEmpty, "\(program): \(outcome)")
      #expect(outcome.standardError.contains("zsh bash fish"), "\(program): \(outcome.standardError)")
    }
    #expect(scratch.names(in: "") == [])
  }
}
