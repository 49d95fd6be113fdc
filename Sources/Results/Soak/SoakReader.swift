import Glibc

/// Reads a soak's file, line by line: it may be larger than any result.
struct SoakReader {
  let tools: ToolDescriptions
  /// The longest line: a minute has a few histograms of some KB.
  private static let longestLine = 16 << 20

  /// Makes a result of the file at `path`.
  ///
  /// A last line without its end is what a power cut leaves. A damaged line is one lost minute: hours of others must
  /// not be lost with it. Both are left out, and notes say so. Without its head a file says nothing.
  ///
  /// - Throws: Where the file can't be read, its head is missing or damaged, or its lines are in an order that no run
  ///   writes; the message names the line.
  func read(_ path: String) throws(ResultReadError) -> (document: ResultDocument, identity: ResultFile.Identity) {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    var rebuild: SoakRebuild?
    var order = SoakLineOrder()
    var number = 0
    var cutOff: String?
    var damaged = DamagedLines()
    let identity = try forEachLine(of: path) { (bytes, isWhole) throws(ResultReadError) in
      number += 1
      guard isWhole else {
        cutOff = "the file's last line is cut off, as a power cut leaves it: it was left out"
        return
      }
      let line: SoakLine
      do throws(SoakLineError) {
        guard let bytes else { throw SoakLineError("is longer than any minute's") }
        line = try SoakCodec.decode(bytes, tools: tools)
        if let sentence = line.damage { throw SoakLineError(sentence) }
      } catch {
        if number == 1 { throw .init(path, .foreign("is no soak's file: its first line \(error.sentence)")) }
        return damaged.add(number, error.sentence)
      }
      if let sentence = order.violation(of: line) { throw .init(path, .wrong("line \(number) \(sentence)")) }
      switch line {
      case .head(let head):
        guard number == 1 else { throw .init(path, .wrong("line \(number) is another head")) }
        rebuild = SoakRebuild(head)
      case .minute(let minute):
        guard rebuild != nil else { throw .init(path, .incomplete("its first line is no head")) }
        do throws(UnreadableHistogram) { try rebuild?.add(minute) } catch {
          damaged.add(number, "has a histogram that can't be read")
        }
      case .end(let end):
        guard rebuild != nil else { throw .init(path, .incomplete("its first line is no head")) }
        rebuild?.finish(end)
      }
    }
    guard let rebuild else { throw .init(path, .incomplete("it has no head: the run was cut off before it began")) }
    let document = rebuild.document(file: name, remarks: [damaged.remark, cutOff].compactMap(\.self))
    if let sentence = ResultRules.violation(in: document) { throw .init(path, .wrong(sentence)) }
    return (document, identity)
  }

  /// Calls `take` with each line without its end; the last one may have had none. A line that is longer than any
  /// minute's is not kept: nil stands for it.
  private func forEachLine(
    of path: String, _ take: (_ line: ArraySlice<UInt8>?, _ isWhole: Bool) throws(ResultReadError) -> Void
  ) throws(ResultReadError) -> ResultFile.Identity {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw .init(path, .unreadable(.system(errno))) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw .init(path, .unreadable(.system(errno))) }
    if status.st_mode & S_IFMT == S_IFDIR { throw .init(path, .unreadable(.folder)) }
    var line: [UInt8] = []
    var isTooLong = false
    func append(_ bytes: ArraySlice<UInt8>) {
      isTooLong = isTooLong || line.count + bytes.count > Self.longestLine
      if isTooLong { line.removeAll() } else { line += bytes }
    }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(file, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .init(path, .unreadable(.system(errno))) }
      if count == 0 { break }
      var rest = buffer[..<count]
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        append(rest[..<end])
        try take(isTooLong ? nil : line[...], true)
        line.removeAll(keepingCapacity: true)
        isTooLong = false
        rest = rest[(end + 1)...]
      }
      append(rest)
    }
    if isTooLong || !line.isEmpty { try take(nil, false) }
    return .init(status)
  }
}

/// The lines of a soak's file that could not be read: how many, and the first ones with their reasons.
struct DamagedLines {
  private var count = 0
  private var first: [String] = []

  /// The most lines that are named.
  private static let mostNamed = 5

  mutating func add(_ number: Int, _ sentence: String) {
    count += 1
    if first.count < Self.mostNamed { first.append("line \(number) (\(sentence))") }
  }

  /// Nil where no line was damaged.
  var remark: String? {
    guard count > 0 else { return nil }
    let rest = count > first.count ? " and \(count - first.count) more" : ""
    let lines = count == 1 ? "1 line of the file is damaged and was" : "\(count) lines of the file are damaged and were"
    return "\(lines) left out: \(first.joined(separator: ", "))\(rest)"
  }
}

extension SoakLine {
  /// What is impossible in the line by itself, as the end of a sentence that begins with its number; nil where nothing
  /// is.
  fileprivate var damage: String? {
    switch self {
    case .head(let head): SoakLine.lengths.contains(head.everySeconds) ? nil : "has impossible everySeconds"
    case .minute(let minute):
      if !ResultRules.isAmount(minute.t) || !ResultRules.isAmount(minute.seconds) {
        "has an impossible time"
      } else if let pool = minute.pool,
        pool.emptySeconds < 0 || pool.watchedSeconds < pool.emptySeconds || !ResultRules.isAmount(pool.watchedSeconds)
      {
        "has impossible times of the pool"
      } else {
        nil
      }
    case .end: nil
    }
  }
}

/// What the lines of a soak's file must be to each other: minutes in their order, each once, then at most one end. Sums
/// of a file that breaks this would be those of no run.
struct SoakLineOrder {
  private var minutes = 0
  /// The end of the last minute, in s from the begin.
  private var end = 0.0
  private var isEnded = false

  /// The rule that the next line breaks, as the end of a sentence that begins with its number; nil where it breaks none.
  mutating func violation(of line: SoakLine) -> String? {
    if isEnded { return "comes after the end" }
    switch line {
    case .head: break
    case .minute(let minute):
      minutes += 1
      guard minutes <= SoakLine.mostMinutes else { return "is one minute more than a soak has" }
      guard minute.t >= end - SoakSeries.tolerance else { return "begins before the minute above it ended" }
      end = minute.t + minute.seconds
    case .end: isEnded = true
    }
    return nil
  }
}
