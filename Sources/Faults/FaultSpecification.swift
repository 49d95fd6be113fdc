import FoundationEssentials
import Gateway
import Latency

/// The mistakes in a specification of faults, one text each.
package struct FaultSpecificationError: Error, Sendable, CustomStringConvertible {
  /// What is wrong, and what to write instead.
  package let problems: [String]

  /// All problems, one a line.
  package var description: String { problems.joined(separator: "\n") }
}

/// Reads faults as people write them: as a text, or as JSON.
///
/// ```
/// task-death                                            a preset
/// gateway-stall:after=2s,for=3s                         a preset at another time
/// seed=7; task-dies-warm:rate=1/s,for=10s; answer-5xx:on=acquire+release,p=0.1
/// {"seed": 7, "faults": ["task-death", {"fault": "answer-slow", "delay": "200ms", "p": 0.5, "on": ["acquire"]}]}
/// ```
extension InjectedFaults {
  /// The longest specification, in bytes.
  package static let longestSpecification = 64 << 10
  static let mostRules = 200

  /// - Throws: ``FaultSpecificationError`` with every mistake in `text`.
  package init(parsing text: String) throws(FaultSpecificationError) {
    self.init()
    var reader = FaultReader()
    if text.utf8.count > Self.longestSpecification {
      throw FaultSpecificationError(problems: ["a specification has at most \(Self.longestSpecification) bytes"])
    }
    let items: [FaultItem]
    if text.first(where: { !$0.isWhitespace }) == "{" {
      let document = try FaultDocument(parsing: text)
      items = document.items
      if let seed = document.seed { self.seed = seed }
    } else {
      items = Self.items(of: text, seed: &seed, &reader)
    }
    for item in items { rules += reader.rules(of: item) }
    if rules.isEmpty, reader.problems.isEmpty {
      reader.note("no fault is named: write a preset (\(FaultReader.presets)) or a fault, such as task-dies-warm")
    }
    if rules.count > Self.mostRules { reader.note("a plan has at most \(Self.mostRules) faults") }
    guard reader.problems.isEmpty else { throw FaultSpecificationError(problems: reader.problems) }
  }

  private static func items(of text: String, seed: inout UInt64, _ reader: inout FaultReader) -> [FaultItem] {
    var items: [FaultItem] = []
    var hasSeed = false
    for part in text.split(whereSeparator: { $0 == ";" || $0.isNewline }) {
      let trimmed = part.trimmed
      guard !trimmed.isEmpty else { continue }
      if trimmed.hasPrefix("seed=") {
        if hasSeed { reader.note("the seed is given twice") }
        hasSeed = true
        seed = reader.seed(trimmed.dropFirst("seed=".count)) ?? 0
        continue
      }
      let halves = trimmed.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      var item = FaultItem(name: halves[0].trimmed)
      if halves.count > 1 {
        for pair in halves[1].split(separator: ",", omittingEmptySubsequences: false) {
          let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
          guard sides.count == 2, !sides[1].trimmed.isEmpty else {
            reader.note("\(item.shown): '\(FaultReader.shown(pair))' is no name=value")
            continue
          }
          item.values.append((sides[0].trimmed, sides[1].trimmed))
        }
      }
      items.append(item)
    }
    return items
  }
}

/// A fault or preset with its parameters, as it was written.
struct FaultItem {
  var name: String
  var values: [(name: String, value: String)] = []

  var shown: String { FaultReader.shown(name) }
}

/// The JSON form of a specification.
private struct FaultDocument {
  var seed: UInt64?
  var items: [FaultItem]

  private struct Body: Decodable {
    let seed: UInt64?
    let faults: [Entry]
  }

  private enum Entry: Decodable {
    case name(String)
    case object([String: Value])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let name = try? container.decode(String.self) {
        self = .name(name)
      } else {
        self = .object(try container.decode([String: Value].self))
      }
    }
  }

  /// A parameter's value, as it would be written in a text.
  private struct Value: Decodable {
    let text: String

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        self.text = text
      } else if let number = try? container.decode(Int.self) {
        text = String(number)
      } else if let number = try? container.decode(Double.self) {
        text = String(number)
      } else {
        text = try container.decode([String].self).joined(separator: "+")
      }
    }
  }

  init(parsing text: String) throws(FaultSpecificationError) {
    let problem =
      "the JSON has to be {\"seed\": 7, \"faults\": [\"task-death\", {\"fault\": \"answer-slow\", \"p\": 0.5}]}"
    guard let body = try? JSONDecoder().decode(Body.self, from: Data(text.utf8)),
      let keys = try? JSONDecoder().decode([String: Ignored].self, from: Data(text.utf8)).keys
    else { throw FaultSpecificationError(problems: [problem]) }
    let unknown = keys.filter { $0 != "seed" && $0 != "faults" }.sorted()
    guard unknown.isEmpty else {
      throw FaultSpecificationError(
        problems: unknown.map { "'\(FaultReader.shown($0))' is no member of a plan: it has seed and faults" })
    }
    seed = body.seed
    items = body.faults.map { entry in
      switch entry {
      case .name(let name): return FaultItem(name: name)
      case .object(let members):
        let name = members["fault"]?.text ?? members["preset"]?.text ?? ""
        let others = members.filter { $0.key != "fault" && $0.key != "preset" }.sorted { $0.key < $1.key }
        return FaultItem(name: name, values: others.map { ($0.key, $0.value.text) })
      }
    }
  }

  private struct Ignored: Decodable {
    init(from decoder: any Decoder) throws {}
  }
}

/// Makes rules of what was written, and collects the mistakes.
struct FaultReader {
  private(set) var problems: [String] = []

  static let presets = FaultPreset.allCases.map(\.rawValue).joined(separator: ", ")

  mutating func note(_ problem: String) { problems.append(problem) }

  /// A text of a user in a message: short, and without control characters.
  static func shown(_ text: some StringProtocol) -> String {
    let clean = String(
      text.unicodeScalars.prefix(60).map { $0.properties.isWhitespace || $0.value < 32 ? " " : Character($0) })
    return text.unicodeScalars.count > 60 ? clean + "…" : clean
  }

  mutating func seed(_ text: some StringProtocol) -> UInt64? {
    if let seed = UInt64(text.trimmed), text.utf8.first != UInt8(ascii: "+") { return seed }
    note("seed '\(Self.shown(text))': it is a whole number from 0 to 2^64 - 1")
    return nil
  }

  mutating func rules(of item: FaultItem) -> [FaultRule] {
    if let kind = FaultKind(rawValue: item.name) { return [rule(kind, item)] }
    guard let preset = FaultPreset(rawValue: item.name) else {
      let near = FaultKind.allCases.map(\.rawValue).filter { Self.isNear(item.name, $0) }
      let hint = near.isEmpty ? "presets: \(Self.presets); faults: see docs/faults.md" : "did you mean \(near[0])?"
      note("'\(item.shown)' is neither a fault nor a preset (\(hint))")
      return []
    }
    return rules(of: preset, item)
  }

  /// A preset's rules. It takes the parameters of time, which then replace those of its faults.
  private mutating func rules(of preset: FaultPreset, _ item: FaultItem) -> [FaultRule] {
    let time: [FaultKind.Parameter] = [.after, .length, .every]
    let wrong = item.values.filter { value in !time.contains { $0.rawValue == value.name } }
    for value in wrong {
      note("\(item.shown): a preset takes after, for and every, but not '\(Self.shown(value.name))'")
    }
    guard wrong.isEmpty else { return [] }
    var found: [FaultRule] = []
    for part in preset.specification.split(separator: ";") {
      let halves = part.trimmed.split(separator: ":", maxSplits: 1)
      var values = halves.dropFirst().flatMap { $0.split(separator: ",") }.map { pair in
        let sides = pair.split(separator: "=", maxSplits: 1)
        return (name: String(sides[0]), value: String(sides[1]))
      }
      if !item.values.isEmpty {
        values.removeAll { value in time.contains { $0.rawValue == value.name } }
        values += item.values
      }
      guard let kind = FaultKind(rawValue: String(halves[0])) else { continue }
      let before = problems.count
      found.append(rule(kind, FaultItem(name: item.name, values: values)))
      // The mistake is one of the preset's time, and the same for each of its faults.
      if problems.count > before { return [] }
    }
    return found
  }

  private mutating func rule(_ kind: FaultKind, _ item: FaultItem) -> FaultRule {
    var rule = FaultRule(kind)
    var seen: Set<String> = []
    // The places decide about the trigger, and so about the parameters that are taken.
    for (name, value) in item.values where name == "on" { rule.places = places(value, of: kind, item) ?? rule.places }
    let trigger = rule.trigger
    for (name, value) in item.values {
      guard let parameter = FaultKind.Parameter(rawValue: name), Self.takes(kind, trigger, parameter) else {
        let taken = FaultKind.Parameter.allCases.filter { Self.takes(kind, trigger, $0) }.map(\.rawValue)
        note("\(item.shown): '\(Self.shown(name))' is no parameter of it; it takes \(taken.joined(separator: ", "))")
        continue
      }
      guard seen.insert(name).inserted else {
        note("\(item.shown): \(name) is given twice")
        continue
      }
      set(parameter, value, of: &rule, item)
    }
    check(rule, item)
    rule.text = ([kind.rawValue] + [item.values.map { "\($0.name)=\($0.value)" }.joined(separator: ",")])
      .filter { !$0.isEmpty }.joined(separator: ":")
    return rule
  }

  private static func takes(
    _ kind: FaultKind, _ trigger: FaultKind.Trigger, _ parameter: FaultKind.Parameter
  ) -> Bool {
    switch parameter {
    case .after, .length, .every: true
    case .rate: trigger == .clock
    case .p, .skip: trigger == .event
    case .count: trigger != .window
    default: kind.ownParameters.contains(parameter)
    }
  }

  private mutating func check(_ rule: FaultRule, _ item: FaultItem) {
    if let every = rule.every {
      guard let length = rule.length else {
        return note("\(item.shown): every=\(DurationText.write(every)) needs for=")
      }
      if length > every { note("\(item.shown): for= is longer than every=") }
    }
  }

  private mutating func set(
    _ parameter: FaultKind.Parameter, _ value: String, of rule: inout FaultRule, _ item: FaultItem
  ) {
    let name = "\(item.shown): \(parameter.rawValue)"
    let least: Nanoseconds = .milliseconds(1)
    switch parameter {
    case .on: break
    case .after: rule.after = duration(value, name) ?? .zero
    case .length: rule.length = duration(value, name, least: least)
    case .every: rule.every = duration(value, name, least: least)
    case .delay: rule.delay = duration(value, name) ?? .zero
    case .hold: rule.hold = duration(value, name)
    case .skew:
      let isBehind = value.hasPrefix("-")
      let length = duration(isBehind ? String(value.dropFirst()) : value, name) ?? .zero
      rule.skew = Int64(length / .seconds(1)) * (isBehind ? -1 : 1)
    case .rate: rule.rate = rate(value, name) ?? 1
    case .p:
      guard let number = DurationText.parseDecimal(value), number <= 1 else {
        return note("\(name)='\(Self.shown(value))': it is a probability from 0 to 1")
      }
      rule.probability = number
    case .count: rule.count = number(value, name, 0...1_000_000)
    case .skip: rule.skip = number(value, name, 0...1_000_000) ?? 0
    case .streak: rule.streak = number(value, name, 1...1_000_000) ?? 1
    case .status: rule.status = number(value, name, 500...599) ?? 503
    case .size: rule.size = size(value, name) ?? 0
    case .work:
      guard value == "done" || value == "skipped" else {
        return note("\(name)='\(Self.shown(value))': it is done or skipped")
      }
      rule.isWorkDone = value == "done"
    }
  }

  private mutating func duration(_ text: String, _ name: String, least: Nanoseconds = .zero) -> Nanoseconds? {
    if let length = DurationText.parse(text, upTo: .seconds(24 * 3600)), length >= least { return length }
    let from = least > .zero ? "from 1ms " : ""
    note("\(name)='\(Self.shown(text))': it is a duration \(from)up to 24h with its unit, such as 250ms or 1.5s")
    return nil
  }

  private mutating func number(_ text: String, _ name: String, _ range: ClosedRange<Int>) -> Int? {
    if let number = Int(text), range.contains(number), text.utf8.first != UInt8(ascii: "+") { return number }
    note("\(name)='\(Self.shown(text))': it is a whole number from \(range.lowerBound) to \(range.upperBound)")
    return nil
  }

  private mutating func rate(_ text: String, _ name: String) -> Double? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let seconds = ["s": 1.0, "m": 60, "h": 3600]
    if parts.count == 2, let number = DurationText.parseDecimal(parts[0]), let unit = seconds[String(parts[1])],
      number > 0, number / unit <= 1000
    {
      return number / unit
    }
    note("\(name)='\(Self.shown(text))': it is a rate up to 1000/s, such as 2/s or 0.5/m")
    return nil
  }

  private mutating func size(_ text: String, _ name: String) -> Int? {
    let units = ["KiB": 10, "MiB": 20]
    let unit = units.first { text.hasSuffix($0.key) }
    let digits = unit.map { text.dropLast($0.key.count) } ?? text[...]
    if let number = Int(digits), (1...(64 << 20)).contains(number), number << (unit?.value ?? 0) <= 64 << 20 {
      return number << (unit?.value ?? 0)
    }
    note("\(name)='\(Self.shown(text))': it is a number of bytes up to 64MiB, such as 512KiB or 2MiB")
    return nil
  }

  private mutating func places(_ text: String, of kind: FaultKind, _ item: FaultItem) -> Set<FaultPlace>? {
    guard !kind.places.isEmpty else { return nil }
    var places: Set<FaultPlace> = []
    for word in text.split(separator: "+", omittingEmptySubsequences: false) {
      guard let place = FaultPlace(rawValue: word.trimmed), kind.places.contains(place) else {
        let names = kind.places.map(\.rawValue).joined(separator: ", ")
        note("\(item.shown): on='\(Self.shown(word))': it is one of \(names), or several with + between them")
        continue
      }
      places.insert(place)
    }
    if places.count > 1, places.contains(.assigned) {
      note(
        "\(item.shown): on=assigned stands alone, because it strikes assignments (p) and the others the clock (rate)")
    }
    return places.isEmpty ? nil : places
  }

  /// Whether two names differ by few letters: the same letters in any order but two.
  private static func isNear(_ name: String, _ other: String) -> Bool {
    guard abs(name.utf8.count - other.utf8.count) <= 3, name.utf8.count <= 40 else { return false }
    var counts: [UInt8: Int] = [:]
    for byte in name.utf8 { counts[byte, default: 0] += 1 }
    for byte in other.utf8 { counts[byte, default: 0] -= 1 }
    return counts.values.reduce(0) { $0 + abs($1) } <= 3
  }
}

extension StringProtocol {
  /// The text without white space at its ends.
  fileprivate var trimmed: String {
    var text = Substring(self)
    while text.first?.isWhitespace == true { text = text.dropFirst() }
    while text.last?.isWhitespace == true { text = text.dropLast() }
    return String(text)
  }
}
