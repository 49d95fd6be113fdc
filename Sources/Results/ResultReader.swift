import FoundationEssentials

/// A result that was read from a file. Its figures are those of its histograms, whatever the document says.
package struct StoredResult: Sendable {
  /// As the user named it.
  package let path: String
  let identity: ResultFile.Identity
  /// The file's name without folders and `.json`.
  package let stem: String
  /// With the histograms' figures, and a note for each that the document has otherwise.
  package let document: ResultDocument
  /// Where the document contradicts its histograms: it was edited by hand, or written by something else.
  package let contradictions: [String]

  /// Reads and checks a result.
  ///
  /// - Throws: Why it can't be shown, naming the file and what is wrong in it.
  package init(path: String) throws(StoredResultError) {
    let contents = try Self.contents(path)
    let document = try Self.document(in: contents, path)
    if let reason = ResultRules.violation(in: document) { throw StoredResultError(path, reason) }
    do throws(UnreadableHistogram) {
      let review = try RecomputedFigures(document)
      self.document = review.document
      contradictions = review.contradictions
    } catch {
      throw StoredResultError(path, error.description)
    }
    self.path = path
    identity = contents.identity
    let name = path.split(separator: "/").last.map(String.init) ?? path
    stem = name.hasSuffix(".json") && name.utf8.count > 5 ? String(name.dropLast(5)) : name
  }

  private struct Head: Decodable {
    var schema: String?
  }

  private static func contents(_ path: String) throws(StoredResultError) -> FileContents {
    do throws(FileReadError) { return try FileContents(path) } catch {
      let advice = error == .folder ? ": name the files in it, such as \(path)/*.json" : ""
      throw StoredResultError(path, error.description + advice)
    }
  }

  private static func document(
    in contents: FileContents, _ path: String
  ) throws(StoredResultError) -> ResultDocument {
    guard let text = String(validating: contents.bytes, as: UTF8.self) else {
      throw StoredResultError(path, "is no text in UTF-8")
    }
    let data = Data(text.utf8)
    let head: Head
    do { head = try JSONDecoder().decode(Head.self, from: data) } catch {
      throw StoredResultError(path, reason(error, in: data))
    }
    if let reason = refusal(of: head.schema) { throw StoredResultError(path, reason) }
    do { return try JSONDecoder().decode(ResultDocument.self, from: data) } catch {
      throw StoredResultError(path, reason(error, in: data))
    }
  }

  private static func refusal(of schema: String?) -> String? {
    guard let schema else { return "is no result: it names no schema" }
    let parts = schema.split(separator: "/", omittingEmptySubsequences: false)
    switch (parts.first, parts.dropFirst().first.flatMap { Int($0) }, parts.count) {
    case ("infrabench.result", 1, 2): return nil
    case ("infrabench.result", let version?, 2) where version > 1:
      return "is of the newer schema '\(schema)': show it with the suite that wrote it, or a later one"
    case ("infrabench.summary", _, _): return "is a summary of several tools: name the results that it was made of"
    case ("infrabench.comparison", _, _): return "is a comparison, not the result of a run"
    default: return "is no result: its schema is '\(schema.prefix(60))'"
    }
  }

  private static func reason(_ error: any Error, in data: Data) -> String {
    switch DecodingFault(error, in: data) {
    case .noJSON: "is no JSON: it may be cut off"
    case .noObject: "is no result: it is no JSON object"
    case .missing(let sentence): "is no whole result: \(sentence)"
    case .wrong(let sentence): "is no result: \(sentence)"
    }
  }
}

/// Why a file is no result that can be shown.
package struct StoredResultError: Error, Sendable, Equatable, CustomStringConvertible {
  package var description: String

  init(_ path: String, _ reason: String) {
    description = "'\(PlainText.line(path))' \(PlainText.line(reason))"
  }
}

/// What a document must keep to so that it can be shown: reports take names, times and numbers of our own for harmless.
enum ResultRules {
  /// Far more than the tools write, and few enough that work that looks at each of them for each other one ends.
  static let mostTimelineRows = 100_000
  static let mostThresholds = 10_000
  static let mostNames = 1_000

  /// The first rule that it breaks; nil of a sound document. docs/schema has the same rules.
  static func violation(in document: ResultDocument) -> String? {
    if !isName(document.tool, plus: "-") || !document.tool.hasPrefix("bench-") {
      return "is no result: tool is no tool"
    }
    if !isVersion(document.version) { return "is no result: version is no version" }
    if !["release", "debug"].contains(document.build) { return "is no result: build is neither release nor debug" }
    if !Timestamp.isWritten(document.startedAt) { return "is no result: startedAt is no time in UTC with milliseconds" }
    if !isName(document.target.kind, plus: "-") { return "is no result: target.kind is no kind of target" }
    if !isAmount(document.durationSeconds) { return "is no result: durationSeconds is no duration" }
    if !isAmount(document.generator.cpuUtilisation) { return "is no result: generator.cpuUtilisation is no share" }
    let lateness = [document.generator.scheduleLatenessP50Ms, document.generator.scheduleLatenessP99Ms]
    if !lateness.allSatisfy({ isAmount($0 ?? 0) }) { return "is no result: generator.scheduleLateness is no time" }
    for (list, count, most) in [
      ("metrics", document.metrics.count, mostNames), ("counters", document.counters.count, mostNames),
      ("timeline", document.timeline?.count ?? 0, mostTimelineRows),
      ("thresholds", document.thresholds.count, mostThresholds),
    ] where count > most {
      return "is no result: \(list) has \(count) entries, and no run has more than \(most)"
    }
    for name in document.metrics.keys.sorted() + document.counters.keys.sorted() where !isName(name) {
      return "is no result: '\(name.prefix(40))' is no name of a metric or counter"
    }
    for (name, metric) in document.metrics.sorted(by: { $0.key < $1.key }) {
      if !isAmount(metric.resolution ?? 0) { return "is no result: metrics.\(name).resolution is no time" }
    }
    return nil
  }

  /// `allocation`, `bench-e2e`: a small letter, then letters, digits, `_` and what is in `plus`.
  private static func isName(_ text: String, plus others: String = "") -> Bool {
    guard let first = text.unicodeScalars.first, ("a"..."z").contains(first), text.utf8.count <= 100 else {
      return false
    }
    return text.unicodeScalars.allSatisfy {
      ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "_" || others.unicodeScalars.contains($0)
    }
  }

  private static func isVersion(_ text: String) -> Bool {
    let isPlain = text.unicodeScalars.allSatisfy {
      $0.isASCII && ($0.properties.isAlphabetic || "0123456789.+-".unicodeScalars.contains($0))
    }
    return isPlain && text.utf8.count <= 60 && text.split(separator: ".").count >= 3 && text.first?.isNumber == true
  }

  private static func isAmount(_ number: Double) -> Bool { (0..<1e15).contains(number) }
}

/// What is wrong with a document that could not be decoded.
enum DecodingFault: Equatable {
  case noJSON
  /// JSON, but no object: arrays, strings and numbers are no results.
  case noObject
  /// The sentence names the field that is missing.
  case missing(String)
  /// The sentence says what can't be what it is: a field, or the whole.
  case wrong(String)

  /// - Parameter data: the document. Of numbers that no type holds, and of arrays nested too deeply, the decoder says no more
  ///   than that the text is no JSON.
  init(_ error: any Error, in data: Data) {
    let extremes = JSONLimits(data)
    func name(_ key: any CodingKey) -> String { key.intValue.map(String.init) ?? key.stringValue }
    func path(_ keys: [any CodingKey]) -> String { keys.map(name).joined(separator: ".") }
    func wrong(_ context: DecodingError.Context, _ what: String) -> DecodingFault {
      // A value of any kind is refused as a whole for what is deep within it.
      if let number = extremes.number, number.path.starts(with: context.codingPath.map(name)) {
        return .wrong(number.sentence)
      }
      return .wrong("\(path(context.codingPath)) is \(what)")
    }
    self =
      switch error as? DecodingError {
      case .keyNotFound(let key, let context)?: .missing("\(path(context.codingPath + [key])) is missing")
      case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?:
        context.codingPath.isEmpty ? .noObject : wrong(context, "of the wrong kind")
      case .dataCorrupted(let context)? where !context.codingPath.isEmpty: wrong(context, "wrong")
      default: Self.unexplained(data, extremes)
      }
  }

  private struct Anything: Decodable {
    init(from decoder: any Decoder) {}
  }

  private static func unexplained(_ data: Data, _ extremes: JSONLimits) -> DecodingFault {
    if extremes.isTooDeep { return .wrong("it is nested deeper than \(JSONLimits.deepest) levels, as no result is") }
    // Numbers are looked at only where one is asked for.
    guard (try? JSONDecoder().decode(Anything.self, from: data)) != nil else { return .noJSON }
    return .wrong(extremes.number?.sentence ?? "a number in it is out of its range")
  }
}

/// What a text has that is JSON and beyond what decoders take: numbers that no type holds, and nesting without end.
///
/// The text need not be whole: it is looked through from its begin, and not checked.
struct JSONLimits {
  /// A number that no field of a result can have.
  struct Number: Equatable {
    /// The names of fields, and the places in arrays, that lead to it.
    var path: [String]
    /// As it was written.
    var text: String

    var sentence: String {
      let isWhole = !text.utf8.contains { ".eE".utf8.contains($0) }
      let end = isWhole ? "whole numbers end at \(Int64.max)" : "numbers end at 1.8e308"
      let name = path.isEmpty ? "it" : path.joined(separator: ".")
      return "\(name) is \(text.prefix(40)), which no result can have: \(end)"
    }
  }

  /// The most arrays and objects within one another that the decoder takes.
  static let deepest = 512

  private(set) var isTooDeep = false
  /// The first one that no whole number's type holds, or that is infinite.
  private(set) var number: Number?

  /// An object, of which the last name is known, or an array, of which the place is.
  private enum Level {
    case object(name: String)
    case array(place: Int)

    var key: String {
      switch self {
      case .object(let name): name
      case .array(let place): "\(place)"
      }
    }
  }

  init(_ text: some Sequence<UInt8>) {
    let bytes = Array(text)
    var levels: [Level] = []
    var place = 0
    while place < bytes.count {
      switch bytes[place] {
      case UInt8(ascii: "{"): levels.append(.object(name: ""))
      case UInt8(ascii: "["): levels.append(.array(place: 0))
      case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = levels.popLast()
      case UInt8(ascii: ","):
        if case .array(let element)? = levels.last { levels[levels.count - 1] = .array(place: element + 1) }
      case UInt8(ascii: "\""):
        let name = Self.string(in: bytes, at: &place)
        // Whether it is a name or a value: what follows a value is of another name.
        if case .object? = levels.last, Self.isName(bytes, before: place) {
          levels[levels.count - 1] = .object(name: name)
        }
        continue
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        let written = Self.number(in: bytes, at: &place)
        if number == nil, Self.isBeyond(written) { number = Number(path: levels.map(\.key), text: written) }
        continue
      default: break
      }
      if levels.count > Self.deepest {
        isTooDeep = true
        return
      }
      place += 1
    }
  }

  private static func isBeyond(_ number: String) -> Bool {
    guard let value = Double(number) else { return false }
    if number.utf8.contains(where: { ".eE".utf8.contains($0) }) { return !value.isFinite }
    return UInt64(number) == nil && Int64(number) == nil
  }

  /// What stands between quotation marks; `place` is behind the second one then.
  private static func string(in bytes: [UInt8], at place: inout Int) -> String {
    place += 1
    let start = place
    while place < bytes.count, bytes[place] != UInt8(ascii: "\"") {
      place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
    }
    let end = min(place, bytes.count)
    place = end + 1
    return String(decoding: bytes[start..<end].prefix(60), as: UTF8.self)
  }

  private static func isName(_ bytes: [UInt8], before place: Int) -> Bool {
    let blanks: [UInt8] = [0x20, 0x09, 0x0a, 0x0d]
    return bytes[min(place, bytes.count)...].first { !blanks.contains($0) } == UInt8(ascii: ":")
  }

  private static func number(in bytes: [UInt8], at place: inout Int) -> String {
    let start = place
    while place < bytes.count, "+-.eE0123456789".utf8.contains(bytes[place]) { place += 1 }
    return String(decoding: bytes[start..<place], as: UTF8.self)
  }
}
