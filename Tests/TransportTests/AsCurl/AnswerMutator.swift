import TestSupport

/// Draws answers that are nearly right, and cuts them into pieces.
struct AnswerMutator {
  private var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  private static let heads = [
    "HTTP/1.1 200 OK", "HTTP/1.1 200", "HTTP/1.0 200 OK", "HTTP/1.1 404 Not Found", "HTTP/1.1 204 No Content",
    "HTTP/1.1 304 Not Modified", "HTTP/1.1 503 Busy",
  ]
  private static let interims = ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </s>\r\n\r\n"]
  private static let lengths = [
    "5", "5", "5", "05", " 5 ", "5, 5", "5,5,5", "5,", "0000000000000000000005", "5, 6", "-5", "+5", "0", "4", "6",
    "5x",
    "5 5", "", "99999999999999999999", "18446744073709551621", "4294967301", "\r\n 5", "5\r\n\t",
  ]
  private static let codings = [
    "chunked", "chunked", "chunked", "Chunked", "chunked,", ",chunked", "\r\n chunked", "xchunked",
  ]
  private static let others = [
    "Date: Tue, 01 Dec 2026 00:00:00 GMT", "X: a\r\n b\r\n\tc", "Connection: close", "Connection: keep-alive", "Empty:",
    "X:\u{e4}\u{ff}\u{80}", "X: \u{1}", "Set-Cookie: a=b; Path=/", "!#$%&'*+-.^_`|~: v", "X : y", "no colon", "X: a\rb",
    "X: a\u{0}b", "Trailer: Sum",
  ]
  private static let bodies = [
    "5\r\nhello\r\n0\r\n\r\n", "0005\r\nhello\r\n000\r\n\r\n",
    "2;a=b;c=\"d;e\"\r\nhe\r\n3 ; x\r\nllo\r\n0;last\r\n\r\n",
    "1\r\nh\r\n4\r\nello\r\n0\r\nSum: 1\r\nOther: 2\r\n\r\n", "A\r\nhellohello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n",
    "00000000000000000005\r\nhello\r\n0\r\n\r\n",
  ]
  private static let likely = Array("\r\n\r\n: ;,0123456789aFHTPcontentlh-+\u{0}\u{80}\u{ff}\t".unicodeScalars)

  mutating func next() -> PlannedAnswer {
    var text = chance(5) ? pick(Self.interims) : ""
    text += pick(Self.heads) + "\r\n"
    var lines: [String] = []
    var body = "hello"
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<5: lines.append("Content-Length: \(pick(Self.lengths))")
    case 5..<8:
      lines.append("Transfer-Encoding: \(pick(Self.codings))")
      body = pick(Self.bodies)
    default: break
    }
    if chance(8) { lines.append("content-length:\(pick(Self.lengths))") }
    if chance(20) { lines.append("transfer-encoding:\(pick(Self.codings))") }
    for _ in 0..<Int.random(in: 0...2, using: &random) { lines.append(pick(Self.others)) }
    lines.shuffle(using: &random)
    for line in lines { text += line + "\r\n" }
    text += "\r\n" + body
    if chance(12) { text += "extra" }
    var scalars = Array(text.unicodeScalars)
    for _ in 0..<Int.random(in: 0...2, using: &random) where chance(2) { mutate(&scalars) }
    if chance(25) { scalars = Array("\r\n".unicodeScalars) + scalars }
    var result = String.UnicodeScalarView()
    result.append(contentsOf: scalars)
    return PlannedAnswer(text: String(result), cuts: cuts(scalars.count))
  }

  private mutating func mutate(_ scalars: inout [Unicode.Scalar]) {
    let index = Int.random(in: 0..<scalars.count, using: &random)
    let line = scalars[index...].firstIndex(of: "\r") ?? index
    switch Int.random(in: 0..<7, using: &random) {
    case 0: scalars[index] = pick(Self.likely)
    case 1: scalars.insert(pick(Self.likely), at: index)
    case 2: if scalars.count > 1 { scalars.remove(at: index) }
    case 3: scalars.remove(at: line)
    case 4: scalars.insert(contentsOf: "\r\n".unicodeScalars, at: line)
    case 5: scalars.insert(contentsOf: pick(["\r\n ", "\r\n\t", "\r\n \r\n", " ", "\r"]).unicodeScalars, at: line)
    default: scalars.removeLast(scalars.count - index)
    }
    if scalars.isEmpty { scalars = ["H"] }
  }

  private mutating func cuts(_ count: Int) -> [(at: Int, pause: Int)] {
    guard count > 1, !chance(3) else { return [] }
    // Byte by byte, or a few pieces, of which some come so late that the reader has seen the one before.
    if chance(20) { return (1..<count).map { ($0, 0) } }
    let places = (0..<Int.random(in: 1...3, using: &random)).map { _ in Int.random(in: 1..<count, using: &random) }
    return places.sorted().map { ($0, chance(3) ? 1 : 0) }
  }

  private mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &random) == 0 }

  private mutating func pick<T>(_ choices: [T]) -> T { choices[Int.random(in: choices.indices, using: &random)] }
}
