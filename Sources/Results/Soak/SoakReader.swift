import Glibc

/// Reads a soak's file, line by line: it may be larger than any result.
struct SoakReader {
  let tools: ToolDescriptions
  /// The longest line: a minute has a few histograms of some KB.
  private static let longestLine = 16 << 20

  /// Makes a result of the file at `path`.
  ///
  /// A last line without its end is what a power cut leaves: it is left out, and a note says so. Any other line that
  /// can't be read means that the file is damaged.
  ///
  /// - Throws: Where the file can't be read, has no head, or is damaged; the message names the line.
  func read(_ path: String) throws(ResultReadError) -> (document: ResultDocument, identity: ResultFile.Identity) {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    var rebuild: SoakRebuild?
    var order = SoakLineOrder()
    var number = 0
    var remark: String?
    let identity = try forEachLine(of: path) { (bytes, isWhole) throws(ResultReadError) in
      number += 1
      guard isWhole else {
        remark = "the file's last line is cut off, as a power cut leaves it: it was left out"
        return
      }
      let line: SoakLine
      do throws(SoakLineError) { line = try SoakCodec.decode(bytes, tools: tools) } catch {
        if number == 1 { throw .init(path, .foreign("is no soak's file: its first line \(error.sentence)")) }
        throw .init(path, .wrong("line \(number) \(error.sentence)"))
      }
      if let sentence = order.violation(of: line) { throw .init(path, .wrong("line \(number) \(sentence)")) }
      switch line {
      case .head(let head):
        guard number == 1 else { throw .init(path, .wrong("line \(number) is another head")) }
        rebuild = SoakRebuild(head)
      case .minute(let minute):
        guard rebuild != nil else { throw .init(path, .incomplete("its first line is no head")) }
        do throws(UnreadableHistogram) { try rebuild?.add(minute) } catch {
          throw .init(path, .wrong("line \(number): \(error.kind)"))
        }
      case .end(let end):
        guard rebuild != nil else { throw .init(path, .incomplete("its first line is no head")) }
        rebuild?.finish(end)
      }
    }
    guard let rebuild else { throw .init(path, .incomplete("it has no head: the run was cut off before it began")) }
    let document = rebuild.document(file: name, remark: remark)
    if let sentence = ResultRules.violation(in: document) { throw .init(path, .wrong(sentence)) }
    return (document, identity)
  }

  /// Calls `take` with each line without its end; the last one may have had none.
  private func forEachLine(
    of path: String, _ take: (_ line: ArraySlice<UInt8>, _ isWhole: Bool) throws(ResultReadError) -> Void
  ) throws(ResultReadError) -> ResultFile.Identity {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw .init(path, .unreadable(.system(errno))) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw .init(path, .unreadable(.system(errno))) }
    if status.st_mode & S_IFMT == S_IFDIR { throw .init(path, .unreadable(.folder)) }
    var line: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(file, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .init(path, .unreadable(.system(errno))) }
      if count == 0 { break }
      var rest = buffer[..<count]
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        line += rest[..<end]
        try take(line[...], true)
        line.removeAll(keepingCapacity: true)
        rest = rest[(end + 1)...]
      }
      line += rest
      guard line.count <= Self.longestLine else { throw .init(path, .wrong("a line is longer than any minute's")) }
    }
    if !line.isEmpty { try take(line[...], false) }
    return .init(status)
  }
}

/// What the lines of a soak's file must be to each other: minutes in their order, each once, then at most one end. Sums
/// of a file that breaks this would be those of no run.
struct SoakLineOrder {
  private var minutes = 0
  /// The end of the last minute, in s from the begin.
  private var end = 0.0
  private var isEnded = false

  /// Times are written with more digits than clocks have; a sum of them may be off by the last one.
  private static let tolerance = 0.001

  /// The rule that the next line breaks, as the end of a sentence that begins with its number; nil where it breaks none.
  mutating func violation(of line: SoakLine) -> String? {
    if isEnded { return "comes after the end" }
    switch line {
    case .head(let head):
      guard SoakLine.lengths.contains(head.everySeconds) else { return "has impossible everySeconds" }
    case .minute(let minute):
      minutes += 1
      guard minutes <= SoakLine.mostMinutes else { return "is one minute more than a soak has" }
      guard ResultRules.isAmount(minute.t), ResultRules.isAmount(minute.seconds) else {
        return "has an impossible time"
      }
      guard minute.t >= end - Self.tolerance else { return "begins before the minute above it ended" }
      if let pool = minute.pool {
        guard pool.emptySeconds >= 0, pool.watchedSeconds >= pool.emptySeconds,
          ResultRules.isAmount(pool.watchedSeconds)
        else { return "has impossible times of the pool" }
      }
      end = minute.t + minute.seconds
    case .end: isEnded = true
    }
    return nil
  }
}
