import Glibc

/// Answers messages in chunks, as an agent of the product streams its words. Each line is a JSON object, in both
/// directions.
///
/// It reads `{"type":"message","message":…}`, `{"type":"answer_question",…}` and `{"type":"abort"}`, only with this
/// order of keys, which the gateway writes. It writes `text_delta` for each chunk, the first at once and the others
/// `chunkDelay` apart, and `finish` at the end of each answer, also of an aborted one. It reads only the text of a
/// message and puts it into the first chunk unchanged, with its escapes.
struct Answers {
  let chunks: Int
  /// The time between two chunks, in ns.
  var chunkDelay: UInt64 = 20_000_000
  /// The program asks a question before its answer to every message whose number is a multiple of this; 0 for never.
  var askEvery = 0
  /// Whether messages may be requests to files and processes.
  var takesVerbs = false

  private var input = LineInput()
  /// Lines that came while another message was being answered; they wait for their turn.
  private var held: [[UInt8]] = []
  private var sequence = 0

  init(chunks: Int) { self.chunks = chunks }

  /// Answers until the end of the input.
  mutating func serve() {
    while let line = held.isEmpty ? input.line() : held.removeFirst() {
      if let text = Self.text(of: line) { answer(text) }
    }
  }

  private mutating func answer(_ text: ArraySlice<UInt8>) {
    sequence += 1
    if takesVerbs, let answer = Verbs.answer(text) {
      // No answer has a character that JSON would escape but in a path, where it becomes a question mark.
      let plain = String(answer.map { $0 == "\"" || $0 == "\\" || $0.isNewline ? "?" : $0 })
      say("{\"type\":\"text_delta\",\"text\":\"\(plain)\"}\n".utf8)
      return finish("end_turn", text, 1)
    }
    if askEvery > 0, sequence % askEvery == 0 {
      say(#"{"type":"ask_question","question":"go on with message \#(sequence)?"}"#.utf8 + [newline])
      guard waitForAnswer() else { return finish("aborted", text, 0) }
    }
    say("{\"type\":\"text_delta\",\"text\":\"\(sequence) ".utf8 + text + "\"}\n".utf8)
    let begin = now()
    for number in 1..<max(1, chunks) {
      guard !isAborted(until: begin + UInt64(number) * chunkDelay) else { return finish("aborted", text, number) }
      say("{\"type\":\"text_delta\",\"text\":\" (\(number + 1) of \(chunks))\"}\n".utf8)
    }
    finish("end_turn", text, chunks)
  }

  /// Ends an answer. One token counts as four bytes of a message, or one chunk of an answer.
  private func finish(_ reason: String, _ text: ArraySlice<UInt8>, _ output: Int) {
    let usage = #"{"input_tokens":\#((text.count + 3) / 4),"output_tokens":\#(output)}"#
    say(#"{"type":"finish","reason":"\#(reason)","usage":\#(usage)}"#.utf8 + [newline])
  }

  /// Waits for the answer to a question; false for an abort, or the end of the input.
  private mutating func waitForAnswer() -> Bool {
    while let line = input.line() {
      if Self.isOfType("answer_question", line) { return true }
      if Self.isOfType("abort", line) { return false }
      held.append(line)
    }
    return false
  }

  /// Waits until `deadline`, or until an abort comes. At the end of the input the answer is still completed.
  private mutating func isAborted(until deadline: UInt64) -> Bool {
    while let line = input.line(until: deadline) {
      if Self.isOfType("abort", line) { return true }
      held.append(line)
    }
    return false
  }

  private static func isOfType(_ type: String, _ line: [UInt8]) -> Bool {
    line.starts(with: "{\"type\":\"\(type)\"".utf8)
  }

  /// The text between the quotes of a message; `nil` for any other line.
  private static func text(of line: [UInt8]) -> ArraySlice<UInt8>? {
    let beginning = Array("{\"type\":\"message\",\"message\":\"".utf8)
    guard line.starts(with: beginning) else { return nil }
    var index = beginning.count
    while index < line.count, line[index] != UInt8(ascii: "\"") {
      index += line[index] == UInt8(ascii: "\\") ? 2 : 1
    }
    return index < line.count ? line[beginning.count..<index] : nil
  }
}

private let newline = UInt8(ascii: "\n")

/// The monotonic clock, in ns.
private func now() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Reads lines of standard input, with or without a deadline.
private struct LineInput {
  private var bytes: [UInt8] = []
  private var hasEnded = false

  /// The next line without its end; `nil` when the input has ended, or when `deadline` has passed.
  mutating func line(until deadline: UInt64? = nil) -> [UInt8]? {
    while true {
      if let end = bytes.firstIndex(of: newline) {
        defer { bytes.removeFirst(end + 1) }
        return Array(bytes[..<end])
      }
      if hasEnded, deadline == nil {
        defer { bytes = [] }
        return bytes.isEmpty ? nil : bytes
      }
      if let deadline, !waitForInput(until: deadline) { return nil }
      readMore()
    }
  }

  /// Waits for input; false at the deadline. At the end of the input no input can come, and it only waits.
  private func waitForInput(until deadline: UInt64) -> Bool {
    let left = deadline - min(deadline, now())
    var time = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
    // The first bit of the set is standard input's.
    var files = fd_set()
    files.__fds_bits.0 = hasEnded ? 0 : 1
    let count = pselect(1, &files, nil, nil, &time, nil)
    return count < 0 && errno == EINTR ? waitForInput(until: deadline) : count > 0
  }

  private mutating func readMore() {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = read(STDIN_FILENO, &buffer, buffer.count)
    if count > 0 { bytes += buffer.prefix(count) }
    if count == 0 || (count < 0 && errno != EINTR) { hasEnded = true }
  }
}
