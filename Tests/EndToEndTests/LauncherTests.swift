import Foundation
import ProcessControl
import Testing

@testable import InfraBench
@testable import Results

/// The programs `bench-*`: launchers that turn into the program `infrabench` beside them, and change nothing on the way.
@Suite(.timeLimit(.minutes(2))) struct LauncherTests {
  /// Runs a launcher in a directory where `infrabench` is a shell, which shows what it was given.
  private static func asShell(_ script: String, _ words: String = "", before: String = "") async throws -> String {
    let scratch = try Scratch()
    try copy("bench-api", into: scratch)
    try FileManager.default.createSymbolicLink(atPath: scratch("infrabench"), withDestinationPath: "/bin/sh")
    let outcome = try await Tool.start(
      ["/bin/sh", "-c", "\(before)\nexec ./bench-api -c '\(script)' \(words)"], in: scratch.path
    ).end()
    #expect(outcome.status == .exited(0) && outcome.standardError.isEmpty, "\(outcome)")
    return outcome.standardOutput
  }

  /// A copy, and no link: a launcher looks beside the file that it is.
  private static func copy(_ name: String, into scratch: Scratch) throws {
    try FileManager.default.copyItem(atPath: try Tool(name: name).path, toPath: scratch(name))
  }

  @Test func everyToolIsTheSameAsAProgramAndBehindInfrabench() async throws {
    let scratch = try Scratch()
    for tool in InfraBenchCommand.tools {
      let own = try await Tool(name: tool.programName).run(["--help"], in: scratch.path)
      #expect(own.status == .exited(0) && own.standardOutput.hasPrefix("OVERVIEW: "), "\(own)")
      for words in [[tool.shortName, "--help"], [tool.programName, "--help"], ["help", tool.shortName]] {
        let same = try await Tool(name: "infrabench").run(words, in: scratch.path)
        #expect(same.status == own.status && same.standardOutput == own.standardOutput, "\(words)")
      }
      let refused = try await Tool(name: tool.programName).run(["--no-such-option"], in: scratch.path)
      let refusedToo = try await Tool(name: "infrabench").run([tool.shortName, "--no-such-option"], in: scratch.path)
      #expect(refused.status == .exited(64) && refusedToo.status == .exited(64), "\(refused)\(refusedToo)")
      #expect(refused.standardError == refusedToo.standardError)
    }
  }

  /// What is in the repository's list of programs is in the program's own.
  @Test func everyLauncherIsOfATool() throws {
    var root = URL(filePath: #filePath)
    for _ in 0..<3 { root.deleteLastPathComponent() }
    let folders = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "Sources").path)
    #expect(Set(folders.filter { $0.hasPrefix("bench-") }) == Set(InfraBenchCommand.tools.map { $0.programName }))
  }

  /// By a link from elsewhere, by a link of another name, by the search path, by a relative path.
  @Test func itFindsInfrabenchHoweverItIsCalled() async throws {
    let scratch = try Scratch()
    let built = URL(filePath: try Tool(name: "bench-report").path)
    for name in ["bench-report", "shortcut"] {
      try FileManager.default.createSymbolicLink(at: URL(filePath: scratch(name)), withDestinationURL: built)
    }
    let folder = built.deletingLastPathComponent().path
    for script in [
      "./bench-report --help", "./shortcut --help", "PATH='\(folder)'; bench-report --help",
      "PATH='\(scratch.path)'; cd /; bench-report --help", "cd '\(folder)/..'; ./*/bench-report --help",
    ] {
      let outcome = try await Tool.start(["/bin/sh", "-c", script], in: scratch.path).end()
      #expect(outcome.status == .exited(0), "\(script): \(outcome)")
      #expect(outcome.standardOutput.contains("USAGE: bench-report "), "\(script)")
    }
  }

  /// As packages install it: links from a tool's name to the program itself.
  @Test func aLinkToInfrabenchIsTheToolOfItsName() async throws {
    let scratch = try Scratch()
    let program = try Tool(name: "infrabench").path
    for name in ["bench-compare", "bench-compere", "other"] {
      try FileManager.default.createSymbolicLink(atPath: scratch(name), withDestinationPath: program)
    }
    let tool = try await Tool.start(["./bench-compare", "--help"], in: scratch.path).end()
    #expect(tool.status == .exited(0) && tool.standardOutput.contains("USAGE: bench-compare "), "\(tool)")
    let none = try await Tool.start(["./bench-compere", "--help"], in: scratch.path).end()
    #expect(none.status == .exited(64) && none.standardOutput.isEmpty)
    #expect(
      none.standardError == "error: 'bench-compere' is no tool of infrabench: the nearest name is 'bench-compare'\n"
        + "See 'infrabench --help'.\n")
    let whole = try await Tool.start(["./other", "compare", "--help"], in: scratch.path).end()
    #expect(whole.standardOutput == tool.standardOutput)
  }

  @Test func withoutInfrabenchItSaysWhatIsMissingAndWhere() async throws {
    let scratch = try Scratch()
    try Self.copy("bench-api", into: scratch)
    func run() async throws -> String {
      let outcome = try await Tool.start(["./bench-api", "--iterations", "1"], in: scratch.path).end()
      // 127, a shell's own, is the status of none of the tools: bench-suite would call it a crash.
      #expect(outcome.status == .exited(1) && outcome.standardOutput.isEmpty, "\(outcome)")
      return outcome.standardError
    }
    func text(_ reason: String) -> String {
      "error: bench-api is a part of the program 'infrabench', which cannot be started in \(scratch.path), where "
        + "bench-api is: \(reason). Install both into one directory, or link to bench-api instead of copying it.\n"
    }
    #expect(try await run() == text("No such file or directory"))
    scratch.write("infrabench", "#!/bin/sh\n")
    #expect(try await run() == text("Permission denied"))
    try FileManager.default.removeItem(atPath: scratch("infrabench"))
    scratch.directory("infrabench")
    #expect(try await run() == text("Permission denied"))
    #expect(scratch.names(in: "") == ["bench-api", "infrabench"])
  }

  /// Bytes that are no UTF-8, empty words, spaces and line breaks; the first word is the tool's name.
  @Test func wordsArriveByteForByte() async throws {
    let words = #""" "a b" "$(printf '\377\376\200')" "--x=$(printf 'ä\nb')" '*' '-'"#
    let hex = try await Self.asShell("od -An -v -tx1 /proc/$$/cmdline; :", "name \(words)")
    let bytes = hex.split(whereSeparator: \.isWhitespace).compactMap { UInt8($0, radix: 16) }
    let arrived = bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().map(Array.init)
    let script = "od -An -v -tx1 /proc/$$/cmdline; :"
    let expected =
      ["bench-api", "-c", script, "name", "", "a b"].map { Array($0.utf8) } + [[0xff, 0xfe, 0x80]]
      + ["--x=ä\nb", "*", "-"].map { Array($0.utf8) }
    #expect(arrived == expected)
  }

  @Test func manyWordsArriveInOrder() async throws {
    let output = try await Self.asShell("echo $#; shift 19999; echo $1", "name $(seq 20000)")
    #expect(output == "20000\n20000\n")
  }

  @Test func environmentDescriptorsAndDirectoryAreThose() async throws {
    let output = try await Self.asShell(
      "cat <&5; echo \"$MARK\"; pwd -P; umask", before: "MARK='a b'; export MARK; umask 027; cd .; exec 5<<E\nfive\nE")
    let lines = output.split(separator: "\n")
    #expect(lines.count == 4 && lines[0] == "five" && lines[1] == "a b" && lines[3] == "0027", "\(output)")
    #expect(lines.count > 2 && lines[2].contains("infrabench-e2e-"))
  }

  /// What `nohup` and a script's background set: a launcher that reset it would let a hangup end a night's run.
  @Test func ignoredSignalsStayIgnoredAndOthersDoNot() async throws {
    func mask(_ before: String) async throws -> UInt64 {
      let text = try await Self.asShell("sed -n \"s/^SigIgn:[^0-9a-f]*//p\" /proc/$$/status; :", before: before)
      return try #require(UInt64(text.split(separator: "\n").first ?? "", radix: 16), "\(text)")
    }
    let ours = try await mask("")
    for number in [SIGHUP, SIGINT, SIGQUIT] {
      let bit = UInt64(1) << UInt64(number - 1)
      #expect(ours & bit == 0)
      #expect(try await mask("trap '' \(number)") == ours | bit)
    }
  }

  /// `killall bench-allocation`, `pgrep` and `top` find a tool by this name.
  @Test func theProcessHasTheToolsName() async throws {
    let run = try await BenchRun.start("bench-dirinit", ["--count", "1000000"])
    // The launcher has this name of itself; the program that it becomes gives it to itself.
    try await eventually("it is not infrabench") {
      let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(run.running.child.pid)/exe")
      return program.hasSuffix("/infrabench")
    }
    try await eventually("infrabench is not named bench-dirinit") {
      try String(contentsOfFile: "/proc/\(run.running.child.pid)/comm", encoding: .utf8) == "bench-dirinit\n"
    }
    run.running.child.signal(SIGKILL)
    _ = await run.end()
  }
}
