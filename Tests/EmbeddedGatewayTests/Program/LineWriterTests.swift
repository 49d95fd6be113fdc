import Glibc
import Testing

@testable import MockGateway

@Suite(.timeLimit(.minutes(1))) struct LineWriterTests {
  @Test func readerThatSleepsLosesWholeLinesAndStopsNobody() async throws {
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    let writer = LineWriter(to: ends[1], maximumWaiting: 100_000)
    // A pipe takes 64 KiB: with nobody reading, this would block for ever.
    let total = 20_000
    for number in 0..<total { writer.write("line \(number) " + String(repeating: "x", count: 50)) }
    #expect(writer.dropped > 0)
    let kept = total - writer.dropped
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while text.count(where: { $0 == UInt8(ascii: "\n") }) < kept {
      let count = read(ends[0], &buffer, buffer.count)
      try #require(count > 0)
      text += buffer.prefix(count)
    }
    await writer.flush()
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
    #expect(lines.count == kept && lines.allSatisfy { $0.hasPrefix("line ") && $0.hasSuffix("xx") })
    for end in ends { close(end) }
  }

  @Test func linesComeInOrder() async throws {
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    let writer = LineWriter(to: ends[1])
    for line in ["one", "", "three"] { writer.write(line) }
    await writer.flush()
    var buffer = [UInt8](repeating: 0, count: 100)
    let count = read(ends[0], &buffer, buffer.count)
    #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self) == "one\n\nthree\n")
    #expect(writer.dropped == 0)
    for end in ends { close(end) }
  }
}
