import Foundation
import TestSupport
import Testing

/// The stand-in's answers by its own command line.
@Suite(.timeLimit(.minutes(1))) struct StandInAnswerTests {
  private func standIn(_ arguments: [String], _ input: String) async throws -> (status: Int32, lines: [String]) {
    let folder = try ScratchDirectory()
    let process = Process()
    process.executableURL = URL(filePath: "\(GatewayProgram.directory)/session-stand-in")
    process.arguments = arguments
    process.standardInput = FileHandle(forReadingAtPath: try folder.write("input", input))
    let (status, output) = try await process.outcome()
    return (status, output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
  }

  @Test func messageIsAnsweredInChunksAndOneFinish() async throws {
    let result = try await standIn(
      ["--chunks", "2", "--chunk-delay", "1ms"],
      #"{"type":"message","message":"a \"b\" \\","conversation_id":"c"}"# + "\n"
        + #"{"type":"message","message":"c"}"# + "\nnonsense\n" + #"{"type":"message","message":"cut"#)
    #expect(
      result.lines == [
        "session-stand-in ready", #"{"type":"text_delta","text":"1 a \"b\" \\"}"#,
        #"{"type":"text_delta","text":" (2 of 2)"}"#,
        #"{"type":"finish","reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}}"#,
        #"{"type":"text_delta","text":"2 c"}"#, #"{"type":"text_delta","text":" (2 of 2)"}"#,
        #"{"type":"finish","reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}}"#, "",
      ])
    #expect(result.status == 0)
  }

  @Test func abortThatWaitsAlreadyEndsTheAnswerAndAQuestionWaitsForItsAnswer() async throws {
    let message = #"{"type":"message","message":"x"}"# + "\n"
    let aborted = try await standIn(["--chunks", "3", "--chunk-delay", "10s"], message + #"{"type":"abort"}"# + "\n")
    #expect(aborted.lines.count == 4)
    #expect(aborted.lines[2].hasPrefix(#"{"type":"finish","reason":"aborted""#))
    let asked = try await standIn(
      ["--chunks", "1", "--ask-every", "1"],
      message + message + #"{"type":"answer_question","answer":"y"}"# + "\n")
    #expect(asked.lines[1].hasPrefix(#"{"type":"ask_question""#))
    #expect(asked.lines[2] == #"{"type":"text_delta","text":"1 x"}"#)
    // The second message was held until the first one had its answer, and its own question gets none.
    #expect(asked.lines[4].hasPrefix(#"{"type":"ask_question""#) && asked.lines[5].contains("aborted"))
  }

  @Test(arguments: [
    ["--chunks"], ["--chunks", "0"], ["--chunks", "x"], ["--chunk-delay", "1ms"], ["--ask-every", "1"], ["--other"],
    ["--startup-delay", "5"], ["--chunks", "2", "--chunks", "3"],
  ])
  func wrongUsageIsRefused(arguments: [String]) async throws {
    #expect(try await standIn(arguments, "").status == 64)
  }

  @Test func withoutChunksLinesAreEchoed() async throws {
    let result = try await standIn(["--startup-delay", "1ms"], "hello\n")
    #expect(result.lines == ["session-stand-in ready", "1 hello", ""])
  }
}
