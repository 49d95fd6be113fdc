import Foundation
import Glibc
import TestSupport
import Testing

/// What the stand-in does with files and processes at its user's word.
@Suite(.timeLimit(.minutes(1))) struct StandInVerbTests {
  /// Answers to requests, in their order, in a directory of their own.
  private func ask(
    _ requests: [String], _ arguments: [String] = ["--verbs"], in folder: ScratchDirectory? = nil
  ) async throws -> [String] {
    let folder = try folder ?? ScratchDirectory()
    let process = Process()
    process.executableURL = URL(filePath: "\(GatewayProgram.directory)/session-stand-in")
    process.arguments = arguments
    process.currentDirectoryURL = URL(filePath: folder.path)
    let input = requests.map { $0 + "\n" }.joined()
    let inputFolder = try ScratchDirectory()
    process.standardInput = FileHandle(forReadingAtPath: try inputFolder.write("input", input))
    let (status, output) = try await process.outcome()
    #expect(status == 0)
    return Array(output.split(separator: "\n").map(String.init).dropFirst())
  }

  @Test func filesAreWrittenReadFoundAndRemoved() async throws {
    let answers = try await ask([
      "~1 put notes 00ff", "~2 get notes", "~3 mode notes", "~4 ls .", "~5 find ote .", "~6 find other .",
      "~7 grep 0ff notes", "~8 grep 1ff notes", "~9 open notes", "~10 rm notes", "~11 get notes",
    ])
    #expect(
      answers == [
        "~1 ok", "~2 ok 00ff", "~3 ok mode=600 uid=\(getuid())", "~4 ok 1", "~5 ok found", "~6 ok absent",
        "~7 ok found",
        "~8 ok absent", "~9 ok", "~10 ok", "~11 error ENOENT",
      ])
  }

  /// Only what `put` can have written is told: nothing else that is read leaves the process.
  @Test func contentsOfOtherFilesAreNotTold() async throws {
    let folder = try ScratchDirectory()
    try folder.write("secret", "password: hunter2\n")
    try folder.write("long", String(repeating: "a", count: 65))
    try folder.write("empty", "")
    let answers = try await ask(["~1 get secret", "~2 get long", "~3 get empty", "~4 grep hunter secret"], in: folder)
    #expect(answers == ["~1 ok other", "~2 ok other", "~3 ok other", "~4 ok found"])
  }

  @Test func linksLeadWhereTheyMay() async throws {
    let answers = try await ask([
      "~1 put a 0f", "~2 symlink a s", "~3 link a h", "~4 get s", "~5 get h", "~6 put s 1f", "~7 get nowhere/x",
      "~8 symlink a s",
    ])
    // A link that somebody has planted is not written through.
    #expect(
      answers == [
        "~1 ok", "~2 ok", "~3 ok", "~4 ok 0f", "~5 ok 0f", "~6 error ELOOP", "~7 error ENOENT", "~8 error EEXIST",
      ])
  }

  @Test func whoamiTellsTheProcess() async throws {
    let folder = try ScratchDirectory()
    let answer = try #require(try await ask(["~1 whoami"], in: folder).first)
    #expect(answer.hasPrefix("~1 ok uid=\(getuid()) gid=\(getgid()) pid="))
    #expect(answer.hasSuffix(" cwd=\(folder.path)"))
  }

  /// The secret is in the environment of a process of the user's, and that process ends with the user's.
  @Test func aHeldSecretIsInTheEnvironmentOfAProcessThatEndsWithTheProgram() async throws {
    let nonce = "5ec4e7" + UUID().uuidString.filter(\.isHexDigit).lowercased()
    let answers = try await ask(["~1 hold \(nonce)", "~2 environ \(nonce)", "~3 environ ffff\(nonce)"])
    let pid = try #require(answers[0].split(separator: "=").last.map(String.init))
    #expect(answers[1].hasPrefix("~2 ok found=1 readable="), "\(answers)")
    #expect(answers[2].hasPrefix("~3 ok found=0 readable="), "\(answers)")
    for _ in 0..<500 where FileManager.default.fileExists(atPath: "/proc/\(pid)/environ") {
      guard let state = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8), !state.contains(") Z") else {
        break
      }
      try await Task.sleep(for: .milliseconds(10))
    }
    let left = try? String(contentsOfFile: "/proc/\(pid)/environ", encoding: .utf8)
    #expect(left?.contains(nonce) != true)
  }

  /// A line of another form is what it always was.
  @Test func otherLinesAreEchoed() async throws {
    let answers = try await ask(["hello", "~x whoami", "~ whoami", "~1", "~2 nonsense", "~3 put a"])
    #expect(answers == ["1 hello", "2 ~x whoami", "3 ~ whoami", "4 ~1", "~2 error EINVAL", "~3 error EINVAL"])
    #expect(try await ask(["~1 whoami"], []) == ["1 ~1 whoami"], "without --verbs nothing is done")
  }

  @Test func aMessageOfTheProductIsARequestToo() async throws {
    let answers = try await ask(
      [#"{"type":"message","message":"~1 put a 0f"}"#, #"{"type":"message","message":"hello"}"#],
      ["--chunks", "1", "--verbs"])
    #expect(answers[0] == #"{"type":"text_delta","text":"~1 ok"}"#)
    #expect(answers[1].hasPrefix(#"{"type":"finish","reason":"end_turn""#))
    #expect(answers[2] == #"{"type":"text_delta","text":"2 hello"}"#)
  }
}
