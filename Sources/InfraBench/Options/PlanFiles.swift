import Latency
import Planning
import Results
import TextFormatting

/// Files of arrivals and of sessions: a value a line, or a gateway's lifecycle log.
struct PlanFile {
  private let bytes: [UInt8]

  /// - Throws: Why it can't be read. The description follows the file's name.
  init(_ path: String) throws(FileReadError) {
    self.init(try FileContents(path, ordinaryOnly: true).bytes)
  }

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0d].contains(byte) }

  /// Calls `body` with each line and its number, without blanks at its ends. Empty lines are left out. The lines are not
  /// kept, because a file of 64 MiB, the most that is read, may have tens of millions.
  private func eachLine(_ body: (Int, ArraySlice<UInt8>) throws(Fault) -> Void) throws(Fault) {
    var (start, number) = (0, 0)
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: 0x0a) ?? bytes.count
      var line = bytes[start..<end].drop(while: Self.isBlank)
      while let last = line.last, Self.isBlank(last) { line.removeLast() }
      (start, number) = (end + 1, number + 1)
      if !line.isEmpty { try body(number, line) }
    }
  }

  private var isLog: Bool { bytes.first { !Self.isBlank($0) && $0 != 0x0a } == UInt8(ascii: "{") }

  /// The sessions of a lifecycle log.
  private func logged() throws(Fault) -> LifecycleSessions {
    var sessions = LifecycleSessions()
    try eachLine { (_, line) throws(Fault) in try sessions.read(line) }
    return sessions
  }

  /// Why a file has no arrivals or sessions. The sentence follows the file's name.
  struct Fault: Error, Equatable {
    var sentence: String
  }

  /// Instants, in growing order; of a log the beginning of each `session_create`.
  func arrivals() throws(Fault) -> RecordedArrivals {
    var instants: [Nanoseconds] = []
    if isLog {
      instants = try logged().arrivals
    } else {
      try eachLine { (number, bytes) throws(Fault) in
        let text = String(decoding: bytes, as: UTF8.self)
        guard let instant = InstantText.parse(text) else {
          throw Fault(
            sentence:
              "line \(number): '\(PlainText.line(text, limit: 40))' is no instant: write seconds, such as 12.5, or "
              + "2026-11-20T09:00:00Z")
        }
        if let last = instants.last, instant < last {
          throw Fault(sentence: "line \(number) is before the line above it: sort the file")
        }
        instants.append(instant)
      }
    }
    guard let arrivals = RecordedArrivals(instants) else { throw Fault(sentence: "has no arrival") }
    guard arrivals.length <= DurationText.longest else {
      throw Fault(sentence: "goes from its first to its last arrival over more than a year")
    }
    return arrivals
  }

  /// Lengths of sessions; of a log from each `session_create` to the session's last `ws_disconnect`.
  func sessions() throws(Fault) -> MeasuredLengths {
    var lengths: [Nanoseconds] = []
    if isLog {
      lengths = try logged().lengths
    } else {
      try eachLine { (number, bytes) throws(Fault) in
        let text = String(decoding: bytes, as: UTF8.self)
        guard let length = DurationText.parse(text) else {
          throw Fault(
            sentence: "line \(number): '\(PlainText.line(text, limit: 40))' is no duration: \(DurationText.rule)")
        }
        lengths.append(length)
      }
    }
    guard let measured = MeasuredLengths(lengths) else { throw Fault(sentence: "has no session") }
    return measured
  }
}

/// The sessions of a lifecycle log. Lines of other programs and other events are passed over.
struct LifecycleSessions {
  private(set) var arrivals: [Nanoseconds] = []
  private var created: [String: Nanoseconds] = [:]
  private var ended: [String: Nanoseconds] = [:]

  /// From a session's creation to the last time that its socket broke; of sessions that have both.
  var lengths: [Nanoseconds] {
    created.sorted { $0.key < $1.key }.compactMap { session, instant in
      ended[session].flatMap { $0 > instant ? $0 - instant : nil }
    }
  }

  /// - Throws: Where the line is the beginning or the end of a session without an instant.
  mutating func read(_ line: ArraySlice<UInt8>) throws(PlanFile.Fault) {
    guard case .object(let members)? = try? StrictJSON.parse(Array(line)) else { return }
    func text(_ key: String) -> String? {
      if case .string(let text)? = members.first(where: { $0.key == key })?.value { text } else { nil }
    }
    guard text("event") == "task_lifecycle", let phase = text("phase") else { return }
    guard phase == "session_create" || phase == "ws_disconnect" else { return }
    guard let written = text("timestamp"), let instant = InstantText.parse(written) else {
      throw PlanFile.Fault(sentence: "has a \(phase) whose timestamp is no instant such as 2026-11-20T09:00:00.000Z")
    }
    let session = text("sessionId")
    guard phase == "session_create" else {
      if let session { ended[session] = max(ended[session] ?? .zero, instant) }
      return
    }
    var duration: Nanoseconds = .zero
    if case .number(let digits)? = members.first(where: { $0.key == "duration_ms" })?.value,
      let number = Double(digits), (0...Double(DurationText.longest.nanoseconds) / 1e6).contains(number)
    {
      duration = .nanoseconds(number * 1e6)
    }
    // The event is written when the session has been created; its user came before.
    arrivals.append(instant - duration)
    if let session { created[session] = instant }
  }
}

/// Instants as files write them, from 1970 on.
enum InstantText {
  /// `12.5`, in seconds, or `2026-11-20T09:00:00.123Z`, with an offset such as `+01:00` instead of `Z` (RFC 3339); nil
  /// for any other text.
  static func parse(_ text: String) -> Nanoseconds? {
    if let seconds = DurationText.parseDecimal(text) {
      return seconds < 1e10 ? .nanoseconds(seconds * 1e9) : nil
    }
    return timestamp(Array(text.utf8))
  }

  private static func timestamp(_ bytes: [UInt8]) -> Nanoseconds? {
    guard bytes.count >= 20, bytes.count <= 40, number(bytes[0..<4]) != nil else { return nil }
    let divided = zip([4, 7, 13, 16], "--::".utf8).allSatisfy { bytes[$0] == $1 }
    guard divided, [UInt8(ascii: "T"), UInt8(ascii: " ")].contains(bytes[10]),
      let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
      let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]), let second = number(bytes[17..<19]),
      (1970...2500).contains(year), hour < 24, minute < 60, second <= 60, let days = days(year, month, day)
    else { return nil }
    var rest = bytes[19...]
    var fraction: UInt64 = 0
    if rest.first == UInt8(ascii: ".") {
      let digits = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
      guard !digits.isEmpty else { return nil }
      rest = rest.dropFirst(1 + digits.count)
      // Digits beyond the ninth are less than a nanosecond.
      for place in 0..<9 {
        let digit = place < digits.count ? digits[digits.startIndex + place] - 0x30 : 0
        fraction = fraction * 10 + UInt64(digit)
      }
    }
    guard let offset = offset(rest) else { return nil }
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
    return seconds >= 0 ? .seconds(seconds) + Nanoseconds(fraction) : nil
  }

  /// `Z`, or hours and minutes ahead of UTC, in seconds.
  private static func offset(_ bytes: ArraySlice<UInt8>) -> Int? {
    if bytes.elementsEqual("Z".utf8) { return 0 }
    let bytes = Array(bytes)
    guard bytes.count == 6, bytes[3] == UInt8(ascii: ":"), let hours = number(bytes[1..<3]),
      let minutes = number(bytes[4..<6]), hours < 24, minutes < 60
    else { return nil }
    switch bytes[0] {
    case UInt8(ascii: "+"): return hours * 3600 + minutes * 60
    case UInt8(ascii: "-"): return -(hours * 3600 + minutes * 60)
    default: return nil
    }
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> Int? {
    PlainText.wholeNumber(String(decoding: bytes, as: UTF8.self))
  }

  /// Days since 1970; nil for a date that does not exist. Howard Hinnant: chrono-Compatible Low-Level Date Algorithms,
  /// `days_from_civil`.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int? {
    let isLeap = year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
    let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard (1...12).contains(month), day >= 1, day <= lengths[month - 1] else { return nil }
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}

extension OptionReader {
  mutating func recordedArrivals(_ path: String) -> RecordedArrivals? {
    read("--arrivals", path) { (file) throws(PlanFile.Fault) in try file.arrivals() }
  }

  /// The lengths of sessions: a length, or a file.
  mutating func session(_ written: String?, _ reading: inout PlanReading) -> LengthDistribution {
    let usual = LengthDistribution.exponential(mean: .seconds(1800))
    guard let written else {
      reading.add("session", "exp:30m", given: false)
      return usual
    }
    if let length = LengthText.parse(written) {
      reading.add("session", written, given: true)
      return length
    }
    guard written.utf8.first != UInt8(ascii: "-"), !written.hasPrefix("exp:"), !written.hasPrefix("const:"),
      !written.hasPrefix("lognormal:")
    else {
      problems.add(
        "--session", "'\(PlainText.line(written, limit: 60))' is no length: \(LengthText.rule), or name a file")
      return usual
    }
    let lengths = read("--session", written) { (file) throws(PlanFile.Fault) in try file.sessions() }
    guard let lengths else { return usual }
    reading.add(
      "session", "\(lengths.count) sessions, mean \(NumberText.fixed(lengths.mean, significant: 4)) s", source: written)
    return .measured(lengths)
  }

  private mutating func read<Value>(
    _ option: String, _ path: String, _ body: (PlanFile) throws(PlanFile.Fault) -> Value
  ) -> Value? {
    let name = "'\(PlainText.line(path))'"
    if path.isEmpty || path.utf8.contains(0) {
      problems.add(option, "write a file's path")
      return nil
    }
    let file: PlanFile
    do throws(FileReadError) {
      file = try PlanFile(path)
    } catch .tooLarge {
      problems.add(option, "\(name) is larger than 64 MiB: give a shorter time")
      return nil
    } catch {
      problems.add(option, "\(name) \(error)")
      return nil
    }
    do throws(PlanFile.Fault) {
      return try body(file)
    } catch {
      problems.add(option, "\(name): \(error.sentence)")
      return nil
    }
  }
}
