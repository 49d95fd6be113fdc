import Glibc

/// Answers messages in chunks, as an agent of the product streams its words. A line is a JSON object each way.
///
/// It reads `{"type":"message","message":…}`, `{"type":"answer_question",…}` and `{"type":"abort"}`, in just this order of keys,
/// as the gateway writes them. It writes `text_delta` for each chunk, the first at once and the others `chunkDelay` apart, and
/// `finish` at the end of each answer, also of one that was aborted. Of a message only the text is looked at, which is put into
/// the first chunk as it is, escapes and all.
struct Answers {
  let chunks: Int
  /// In ns.
  var chunkDelay: UInt64 = 20_000_000
  /// A question comes before the answer to every message whose number is a multiple of this; 0 for never.
  var askEvery = 0

  private var input = LineInput()
  /// Lines that came while an answer was under way, and are none of its.
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

  /// A token is taken to be four bytes of a message, or one chunk of an answer.
  private func finish(_ reason: String, _ text: ArraySlice<UInt8>, _ output: Int) {
    let usage = #"{"input_tokens":\#((text.count + 3) / 4),"output_tokens":\#(output)}"#
    say(#"{"type":"finish","reason":"\#(reason)","usage":\#(usage)}"#.utf8 + [newline])
  }

  /// False for an abort, or the end of the input.
  private mutating func waitForAnswer() -> Bool {
    while let line = input.line() {
      if Self.isOfType("answer_question", line) { return true }
      if Self.isOfType("abort", line) { return false }
      held.append(line)
    }
    return false
  }

  /// Waits until `deadline`, or until an abort comes. At the end of the input the answer still comes to its end.
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

  /// The text between the quotes of a message; `nil` for another line.
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

/// Monotonic, in ns.
private func now() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Lines of standard input, with or without a bound on the wait for them.
private struct LineInput {
  private var bytes: [UInt8] = []
  private var hasEnded = false

  /// The next line without its end; `nil` when the input has ended, or when `deadline` has come.
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

  /// False when the time is over. Nothing more can come from an input that has ended, and the time is only waited for.
  private func waitForInput(until deadline: UInt64) -> Bool {
    let left = deadline - min(deadline, now())
    var time = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
    // Its first bit is standard input's.
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
