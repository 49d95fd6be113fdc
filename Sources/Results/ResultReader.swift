import FoundationEssentials
import TextFormatting

/// Reads result files. All readers of results use it, so there is one rule for figures: a histogram's figures hold.
/// Where the document has another figure, that is reported as a contradiction.
///
/// ```swift
/// let reader = ResultReader(tools: .suite)
/// let result = try reader.read("results/2026-11-20/210000Z-bench-allocation.json")
/// for sentence in result.contradictions { print(sentence) }
/// ```
package struct ResultReader: Sendable {
  /// The tools whose descriptions are known. Results of other tools can be read too.
  package let tools: ToolDescriptions

  package init(tools: ToolDescriptions) { self.tools = tools }

  /// Reads a result and makes all its figures anew from its histograms. Of a soak's file, whose name ends in `.ndjson`,
  /// a result is made.
  ///
  /// - Throws: Why the file can't be shown, with its name and the mistake in it.
  package func read(_ path: String) throws(ResultReadError) -> StoredResult {
    if path.hasSuffix(".ndjson") {
      let (document, identity) = try SoakReader(tools: tools).read(path)
      return try StoredResult(document, file: ResultFile(path: path, identity: identity))
    }
    let contents: FileContents
    do throws(FileReadError) { contents = try FileContents(path) } catch { throw .init(path, .unreadable(error)) }
    let document = try decode(contents.bytes, path, withTimeline: true)
    return try StoredResult(document, file: ResultFile(path: path, identity: contents.identity))
  }

  /// Reads the result of a shard as it is written, with its timeline. The merge of shards decodes each histogram once.
  ///
  /// - Throws: Why the file is no result.
  package func readShard(_ path: String) throws(ResultReadError) -> ResultDocument {
    let contents: FileContents
    do throws(FileReadError) { contents = try FileContents(path, ordinaryOnly: true) } catch {
      throw .init(path, .unreadable(error))
    }
    return try decode(contents.bytes, path, withTimeline: true)
  }

  /// Reads a result as it is written, without its timeline. It serves comparisons of many results, whose histograms are
  /// decoded one at a time (``MetricDocument/recomputed(_:failed:)``).
  ///
  /// - Throws: Why the file is no result. Pipes and devices are refused, because reading them may wait without end.
  package func readWritten(_ file: ResultFile) throws(ResultReadError) -> ResultDocument {
    let contents: FileContents
    do throws(FileReadError) { contents = try FileContents(file.path, ordinaryOnly: true) } catch {
      throw .init(file.path, .unreadable(error))
    }
    let document = try decode(contents.bytes, file.path, withTimeline: false)
    for (name, metric) in document.metrics.sorted(by: { $0.key < $1.key }) where !metric.hasPossibleTimes {
      throw .init(file.path, .wrong("metrics.\(name) has a time that is none between 1 ns and 1 h"))
    }
    return document
  }

  /// - Parameter withTimeline: Whether the timeline's rows, which may be many, are decoded too.
  func decode(_ bytes: [UInt8], _ path: String, withTimeline: Bool) throws(ResultReadError) -> ResultDocument {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .init(path, .notText) }
    let data = Data(text.utf8)
    let decoder = JSONDecoder()
    decoder.userInfo = [ToolDescriptions.key: tools, ResultTimeline.isSkippedKey: !withTimeline]
    var document: ResultDocument
    do {
      document = try decoder.decode(CheckedSchema.self, from: data).document
    } catch let refusal as SchemaRefusal {
      throw .init(path, refusal.kind)
    } catch {
      throw .init(path, Self.kind(of: DecodingFault(error, in: data)))
    }
    if !withTimeline { document.timeline = nil }
    if let sentence = ResultRules.violation(in: document) { throw .init(path, .wrong(sentence)) }
    return document
  }

  private static func kind(of fault: DecodingFault) -> ResultReadError.Kind {
    switch fault {
    case .noJSON: .notJSON
    case .noObject: .foreign("it is no JSON object")
    case .missing(let sentence): .incomplete(sentence)
    case .wrong(let sentence): .wrong(sentence)
    }
  }
}

/// A result that was read from a file. Its figures are those of its histograms, even where the document has others.
package struct StoredResult: Sendable {
  package let file: ResultFile
  /// The document with its histograms' figures, and a note for each figure that was written otherwise.
  package let document: ResultDocument
  /// Where the document contradicts its histograms: then it was edited by hand, or written by another program.
  package let contradictions: [String]

  /// As the user named it.
  package var path: String { file.path }
  package var identity: ResultFile.Identity { file.identity }

  /// The file's name without folders and `.json` or `.soak.ndjson`.
  package var stem: String {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let ofSoak = SoakLine.fileSuffix
    if name.hasSuffix(ofSoak), name.utf8.count > ofSoak.utf8.count { return String(name.dropLast(ofSoak.count)) }
    return name.hasSuffix(".json") && name.utf8.count > 5 ? String(name.dropLast(5)) : name
  }

  /// - Throws: Where a histogram can't be decoded, so that there is nothing to show.
  init(_ document: ResultDocument, file: ResultFile) throws(ResultReadError) {
    do throws(UnreadableHistogram) {
      let review = try RecomputedFigures(document)
      self.document = review.document
      contradictions = review.contradictions
    } catch {
      throw .init(file.path, error.kind)
    }
    self.file = file
  }
}

/// Why a file can't be read as a result.
package struct ResultReadError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Kind: Sendable, Equatable {
    case unreadable(FileReadError)
    case notText, notJSON
    /// The file is not meant to be a result; the sentence says what it is.
    case foreign(String)
    /// A result of a later version of the suite, by its schema.
    case newer(String)
    /// A field is missing, or a histogram is broken; the sentence says which.
    case incomplete(String)
    /// A field has an impossible value; the sentence says which.
    case wrong(String)
  }

  /// As the user named it.
  package var path: String
  package var kind: Kind

  package init(_ path: String, _ kind: Kind) {
    self.path = path
    self.kind = kind
  }

  /// Whether the file is not meant to be a result: a search for results skips it.
  package var isForeign: Bool {
    if case .foreign = kind { true } else { false }
  }

  /// The reason, for a list of files that were left out.
  package var reason: String {
    switch kind {
    case .incomplete(let sentence), .wrong(let sentence): sentence
    case .foreign: "it is no result of this suite"
    case .unreadable(let error): "it \(error)"
    case .notText, .notJSON, .newer: "it \(sentence)"
    }
  }

  package var description: String { "'\(PlainText.line(path))' \(PlainText.line(sentence))" }

  /// A sentence that follows the file's name.
  private var sentence: String {
    switch kind {
    case .unreadable(.folder): "\(FileReadError.folder): name the files in it, such as \(path)/*.json"
    case .unreadable(let error): "\(error)"
    case .notText: "is no text in UTF-8"
    case .notJSON: "is no JSON: it may be cut off"
    case .newer(let schema):
      "is of the newer schema '\(schema)': show it with the suite that wrote it, or a later one"
    case .foreign(let what) where what.hasPrefix("is "): what
    case .foreign(let what), .wrong(let what): "is no result: \(what)"
    case .incomplete(let what): "is no whole result: \(what)"
    }
  }
}

/// A document whose schema is checked before its other fields are decoded.
private struct CheckedSchema: Decodable {
  let document: ResultDocument

  private enum Key: CodingKey { case schema }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    guard container.contains(.schema) else { throw SchemaRefusal(kind: .foreign("it names no schema")) }
    guard let schema = try? container.decode(String.self, forKey: .schema) else {
      throw SchemaRefusal(kind: .foreign("schema is of the wrong kind"))
    }
    if let kind = Self.refusal(of: schema) { throw SchemaRefusal(kind: kind) }
    document = try ResultDocument(from: decoder)
  }

  private static func refusal(of schema: String) -> ResultReadError.Kind? {
    let parts = schema.split(separator: "/", omittingEmptySubsequences: false)
    switch (parts.first, parts.dropFirst().first.flatMap { Int($0) }, parts.count) {
    case ("infrabench.result", 1, 2): return nil
    case ("infrabench.result", let version?, 2) where version > 1: return .newer(schema)
    case ("infrabench.result", _, _): return .wrong("its schema is '\(schema.prefix(60))'")
    case ("infrabench.summary", _, _):
      return .foreign("is a summary of several tools: name the results that it was made of")
    case ("infrabench.comparison", _, _): return .foreign("is a comparison, not the result of a run")
    case ("infrabench.soak", _, _): return .foreign("is a soak's file: its name has to end in \(SoakLine.fileSuffix)")
    default: return .foreign("its schema is '\(schema.prefix(60))'")
    }
  }
}

private struct SchemaRefusal: Error {
  var kind: ResultReadError.Kind
}

/// The rules for a document that is to be shown. Reports print names, times and numbers unchecked, so they are checked
/// here.
enum ResultRules {
  /// The limits are far above what the tools write, and low enough that work which compares each element with each
  /// other one ends.
  static let mostTimelineRows = 100_000
  static let mostThresholds = 10_000
  static let mostNames = 1_000
  static let mostChecks = 100
  static let mostEvents = 10_000
  static let mostShards = 100_000

  /// The first rule that the document breaks; nil where it breaks none. docs/schema has the same rules.
  static func violation(in document: ResultDocument) -> String? {
    if !isName(document.tool.name, plus: "-") || !document.tool.name.hasPrefix("bench-") {
      return "tool is no tool"
    }
    if !isVersion(document.version) { return "version is no version" }
    if !["release", "debug"].contains(document.build) { return "build is neither release nor debug" }
    if !Timestamp.isWritten(document.startedAt) { return "startedAt is no time in UTC with milliseconds" }
    if !isName(document.target.kind, plus: "-") { return "target.kind is no kind of target" }
    if !isAmount(document.durationSeconds) { return "durationSeconds is no duration" }
    if !isAmount(document.generator.cpuUtilisation) { return "generator.cpuUtilisation is no share" }
    let lateness = [document.generator.scheduleLatenessP50Ms, document.generator.scheduleLatenessP99Ms]
    if !lateness.allSatisfy({ isAmount($0 ?? 0) }) { return "generator.scheduleLateness is no time" }
    for (list, count, most) in [
      ("metrics", document.metrics.count, mostNames), ("counters", document.counters.count, mostNames),
      ("timeline", document.timeline?.rows.count ?? 0, mostTimelineRows),
      ("thresholds", document.thresholds.count, mostThresholds),
      ("checks", document.checks?.count ?? 0, mostChecks),
    ] where count > most {
      return "\(list) has \(count) entries, and no run has more than \(most)"
    }
    for name in document.metrics.keys.sorted() + document.counters.keys.sorted() where !isName(name) {
      return "'\(name.prefix(40))' is no name of a metric or counter"
    }
    for (name, metric) in document.metrics.sorted(by: { $0.key < $1.key }) {
      if metric.unit != "ms" { return "metrics.\(name) is not in ms" }
      if !isAmount(metric.resolution ?? 0) { return "metrics.\(name).resolution is no time" }
    }
    if let sentence = document.shard.flatMap(violation) ?? document.fleet.flatMap(violation) { return sentence }
    return (document.checks ?? []).lazy.compactMap(violation).first ?? document.soak.flatMap(violation)
  }

  /// The first rule that a shard's place breaks.
  private static func violation(in shard: ResultDocument.Shard) -> String? {
    guard (1...mostShards).contains(shard.of), (0..<shard.of).contains(shard.index) else {
      return "shard is none of those that it names"
    }
    if !Timestamp.isWritten(shard.startAt) { return "shard.startAt is no time in UTC with milliseconds" }
    let times = [shard.measuredFrom, shard.lastAnswerAt ?? 0, shard.firstStartLatenessMs ?? 0]
    if !times.allSatisfy(isAmount) || !isError(shard.clock) { return "shard has a time that is none" }
    return shard.assignments ?? 0 < 0 ? "shard.assignments is no number" : nil
  }

  /// The first rule that a merge of shards breaks.
  private static func violation(in fleet: ResultDocument.Fleet) -> String? {
    guard (1...mostShards).contains(fleet.of), fleet.shards.count <= fleet.of else { return "fleet has no such shards" }
    if !Timestamp.isWritten(fleet.startAt) { return "fleet.startAt is no time in UTC with milliseconds" }
    let times = [fleet.startsSeconds, fleet.startSpreadMs ?? 0]
    let isRight = fleet.shards.allSatisfy { part in
      isError(part.clock)
        && [part.cpuUtilisation, part.scheduleLatenessP99Ms ?? 0, part.firstStartLatenessMs ?? 0].allSatisfy(isAmount)
    }
    return times.allSatisfy(isAmount) && isRight ? nil : "fleet has a time or a share that is none"
  }

  private static func isError(_ clock: ResultDocument.ClockError?) -> Bool {
    clock.map { isAmount(abs($0.offsetMs)) && isAmount($0.errorMs) } ?? true
  }

  /// The first rule that a check's record breaks.
  private static func violation(in check: CheckRecord) -> String? {
    guard isName(check.name, plus: "-") else { return "'\(check.name.prefix(40))' is no name of a check" }
    let place = "checks.\(check.name)"
    if check.violations.count > mostEvents || check.events.count > mostEvents {
      return "\(place) has more events than a run keeps, \(mostEvents)"
    }
    let times = [check.begin, check.seconds] + check.events.map(\.t) + check.violations.map(\.t)
    if !times.allSatisfy(isAmount) || check.eventsLeftOut < 0 { return "\(place) has a time or a number that is none" }
    if !check.violations.allSatisfy({ $0.events.allSatisfy(check.events.indices.contains) }) {
      return "\(place) has a violation by events that it lacks"
    }
    if check.verdict == .notTested, check.reason == nil { return "\(place) was not tested, and does not say why" }
    return nil
  }

  /// Whether a text has the form of `allocation` or `bench-e2e`: a small letter, then letters, digits, `_` and the
  /// characters in `plus`.
  static func isName(_ text: String, plus others: String = "") -> Bool {
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

  static func isAmount(_ number: Double) -> Bool { (0..<1e15).contains(number) }
}

/// Why a document could not be decoded.
enum DecodingFault: Equatable {
  case noJSON
  /// JSON, but no object, as every result is: an array, a text or a number.
  case noObject
  /// The sentence names the field that is missing.
  case missing(String)
  /// The sentence says which field, or that the whole document, has an impossible value.
  case wrong(String)

  /// - Parameter data: The document. About numbers that fit no type, and about arrays nested too deeply, the decoder
  ///   says only that the text is no JSON.
  init(_ error: any Error, in data: Data) {
    let extremes = JSONLimits(data)
    func name(_ key: any CodingKey) -> String { key.intValue.map(String.init) ?? key.stringValue }
    func path(_ keys: [any CodingKey]) -> String { keys.map(name).joined(separator: ".") }
    func wrong(_ context: DecodingError.Context, _ what: String) -> DecodingFault {
      // A value of any kind is refused as a whole where the mistake is deep within it.
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
    // The decoder reads a number only when it is asked for one, so this fails only where the text is no JSON.
    guard (try? JSONDecoder().decode(Anything.self, from: data)) != nil else { return .noJSON }
    return .wrong(extremes.number?.sentence ?? "a number in it is out of its range")
  }
}
