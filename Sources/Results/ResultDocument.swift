package import FoundationEssentials
import TextFormatting

/// The result of one run of one tool: `infrabench.result/1` (docs/result-schema.md). Fields are only ever added.
package struct ResultDocument: Codable, Sendable, Equatable {
  package enum Verdict: String, Codable, Sendable {
    case pass, fail, error, interrupted
  }

  package struct Target: Codable, Sendable, Equatable {
    /// `embedded`, `remote`, or `directory` for bench-dirinit.
    package var kind: String
    @AlwaysPresent package var gatewayUrl: String?
    @AlwaysPresent package var ecsEndpointUrl: String?
    /// The name of the profile by which the gateway was called; nil where none was looked for.
    package var profile: String?
    /// bench-dirinit: the directory that was measured.
    package var directory: String?
    /// bench-dirinit: type, source and mount options of its file system.
    package var fileSystem: JSONValue?

    package init(
      kind: String, gatewayUrl: String? = nil, ecsEndpointUrl: String? = nil, profile: String? = nil,
      directory: String? = nil, fileSystem: JSONValue? = nil
    ) {
      self.kind = kind
      self.gatewayUrl = gatewayUrl
      self.ecsEndpointUrl = ecsEndpointUrl
      self.profile = profile
      self.directory = directory
      self.fileSystem = fileSystem
    }
  }

  package struct Failure: Codable, Sendable, Equatable {
    package var kind: String
    package var count: UInt64
    package var example: String

    package init(kind: String, count: UInt64, example: String) {
      self.kind = kind
      self.count = count
      self.example = example
    }
  }

  package struct Generator: Codable, Sendable, Equatable {
    /// The tool's CPU time divided by the time of the run; 1 is one core.
    package var cpuUtilisation: Double
    package var scheduleLatenessP50Ms: Double?
    @AlwaysPresent package var scheduleLatenessP99Ms: Double?
    package var backlogMax: UInt64
    package var saturated: Bool
    @AlwaysPresent package var saturatedReason: String?

    package init(
      cpuUtilisation: Double, scheduleLatenessP50Ms: Double? = nil, scheduleLatenessP99Ms: Double? = nil,
      backlogMax: UInt64, saturated: Bool, saturatedReason: String? = nil
    ) {
      self.cpuUtilisation = cpuUtilisation
      self.scheduleLatenessP50Ms = scheduleLatenessP50Ms
      self.scheduleLatenessP99Ms = scheduleLatenessP99Ms
      self.backlogMax = backlogMax
      self.saturated = saturated
      self.saturatedReason = saturatedReason
    }
  }

  package struct JudgedThreshold: Codable, Sendable, Equatable {
    package var expression: String
    /// In the unit of the expression's subject: ms, a number, or percent; nil without a sample.
    @AlwaysPresent package var observed: Double?
    package var pass: Bool
    /// True for a default threshold whose metric has no sample.
    package var skipped: Bool?
    /// Why it failed, where the observed value alone does not show it.
    package var reason: String?

    package init(
      expression: String, observed: Double? = nil, pass: Bool, skipped: Bool? = nil, reason: String? = nil
    ) {
      self.expression = expression
      self.observed = observed
      self.pass = pass
      self.skipped = skipped
      self.reason = reason
    }
  }

  /// The place of a result among several runs (`--repeat`, `--ab-gateway-url`).
  package struct Repetition: Codable, Sendable, Equatable {
    /// From 1 on.
    package var run: Int
    package var of: Int
    /// `a` or `b` where two gateways were measured alternately.
    package var side: String?

    package init(run: Int, of: Int, side: String? = nil) {
      self.run = run
      self.of = of
      self.side = side
    }
  }

  package var schema = "infrabench.result/1"
  /// In JSON, the tool's name.
  package var tool: ToolDescription
  package var version: String
  /// `release` or `debug`.
  package var build: String
  @AlwaysPresent package var label: String?
  /// In UTC: ISO 8601 with milliseconds.
  package var startedAt: String
  package var durationSeconds: Double
  package var verdict: Verdict
  package var parameters: [String: JSONValue]
  package var target: Target
  package var environment: EnvironmentFacts
  package var metrics: [String: MetricDocument]
  package var counters: [String: UInt64]
  package var errors: [Failure]
  package var generator: Generator
  package var timeline: ResultTimeline?
  package var thresholds: [JudgedThreshold]
  /// Sentences that a reader of the figures must know.
  package var notes: [String]
  /// Tool-specific findings that are neither latencies nor counters, such as bench-dirinit's `isolation`.
  package var findings: [String: JSONValue]?
  /// The properties of the target that the run has checked; nil where it checked none.
  package var checks: [CheckRecord]?
  /// Nil for a single run.
  package var repetition: Repetition?
  /// What a soak watched minute by minute; nil for another run.
  package var soak: Soak?
  /// Which part of a load this is; nil for a whole load.
  package var shard: Shard?
  /// What several shards did together; nil for what one generator did.
  package var fleet: Fleet?

  package init(
    schema: String = "infrabench.result/1", tool: ToolDescription, version: String, build: String,
    label: String? = nil, startedAt: String, durationSeconds: Double, verdict: Verdict,
    parameters: [String: JSONValue], target: Target, environment: EnvironmentFacts,
    metrics: [String: MetricDocument], counters: [String: UInt64], errors: [Failure], generator: Generator,
    timeline: ResultTimeline? = nil, thresholds: [JudgedThreshold], notes: [String],
    findings: [String: JSONValue]? = nil, checks: [CheckRecord]? = nil, repetition: Repetition? = nil
  ) {
    self.schema = schema
    self.tool = tool
    self.version = version
    self.build = build
    self.label = label
    self.startedAt = startedAt
    self.durationSeconds = durationSeconds
    self.verdict = verdict
    self.parameters = parameters
    self.target = target
    self.environment = environment
    self.metrics = metrics
    self.counters = counters
    self.errors = errors
    self.generator = generator
    self.timeline = timeline
    self.thresholds = thresholds
    self.notes = notes
    self.findings = findings
    self.checks = checks
    self.repetition = repetition
  }
}

extension ResultDocument.Target {
  /// What was measured, for people: `remote https://gw.example, profile my-gateway`. An unknown profile is left out.
  package var words: String {
    let place = directory ?? gatewayUrl ?? ecsEndpointUrl ?? ""
    return "\(kind) \(place)" + (profile.map { ", profile \($0)" } ?? "")
  }
}

extension ResultDocument {
  /// The name of the finding that counts users whose set-up failed. No iteration began for them, so they are in no
  /// rate.
  package static let failedSetUpsFinding = "failed_set_ups"

  /// The number of users whose set-up failed.
  package var failedSetUps: UInt64 {
    guard case .int(let number)? = findings?[Self.failedSetUpsFinding] else { return 0 }
    return UInt64(max(0, number))
  }

  /// The profile that the user named; nil where the tool found the profile out, because that follows from the target.
  package var givenProfile: String? {
    guard case .string(let name)? = parameters["gatewayProfile"] else { return nil }
    return name
  }
}

/// An optional field whose key is always in the JSON: nil is written as `null`, and decoding throws for a missing key.
@propertyWrapper
package struct AlwaysPresent<Value: Codable & Sendable & Equatable>: Codable, Sendable, Equatable {
  package var wrappedValue: Value?

  package init(wrappedValue: Value?) {
    self.wrappedValue = wrappedValue
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    wrappedValue = container.decodeNil() ? nil : try container.decode(Value.self)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
  }
}

/// Result documents as JSON text.
package enum ResultCoding {
  /// Indented, keys in alphabetical order: stable under `diff`.
  package static func encode(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }

  /// Decodes a document without checks: for one that this process has written itself. Files are read by
  /// ``ResultReader``.
  package static func decode(_ text: String, tools: ToolDescriptions) throws -> ResultDocument {
    let decoder = JSONDecoder()
    decoder.userInfo[ToolDescriptions.key] = tools
    return try decoder.decode(ResultDocument.self, from: Data(text.utf8))
  }
}

/// An instant in UTC, as results write it.
package struct Timestamp: Sendable {
  /// `2026-11-20`
  package let day: String
  /// `210000`
  package let compactTime: String
  /// `2026-11-20T21:00:00.123Z`
  package let iso8601: String

  /// - Parameter date: an instant of whole ms, which a `Date` holds with an error of up to 0.1 µs in each direction; its
  ///   text would be a ms too early.
  package init(ofWholeMilliseconds date: Date) { self.init(date.addingTimeInterval(1e-4)) }

  package init(_ date: Date) {
    iso8601 = date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    day = String(iso8601.prefix(10))
    compactTime = iso8601.dropFirst(11).prefix(8).filter { $0 != ":" }
  }

  /// Whether `text` has the form of results, and its day and time exist.
  static func isWritten(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    let form = Array("0000-00-00T00:00:00.000Z".utf8)
    let zero = UInt8(ascii: "0")
    let isInForm =
      bytes.count == form.count
      && zip(bytes, form).allSatisfy { $1 == zero ? (zero...UInt8(ascii: "9")).contains($0) : $0 == $1 }
    guard isInForm, CalendarDay(text.prefix(10)) != nil else { return false }
    func number(at place: Int) -> Int { Int(bytes[place] - zero) * 10 + Int(bytes[place + 1] - zero) }
    return number(at: 11) < 24 && number(at: 14) < 60 && number(at: 17) < 60
  }
}

/// A day of the calendar, as results write it: `2026-11-20`.
package struct CalendarDay: Sendable, Equatable {
  let text: String

  /// Nil where `text` has another form, or the day does not exist.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.map(\.utf8.count) == [4, 2, 2] else { return nil }
    let numbers = parts.compactMap { PlainText.wholeNumber(String($0)) }
    guard numbers.count == 3 else { return nil }
    let (year, month, day) = (numbers[0], numbers[1], numbers[2])
    let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths = [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard (1...12).contains(month), (1...lengths[month - 1]).contains(day) else { return nil }
    self.text = String(text)
  }
}

extension ResultDocument {
  /// A counter's share of the iterations, or of the arrivals that were due: 0…1, or more where an iteration can count
  /// several. Nil where the run has no such counter, or the whole is 0.
  package func share(of counter: ToolDescription.Counter) -> Double? {
    guard let number = counters[counter.name] else { return nil }
    let whole = counter.share == .ofDue ? startsDue : counters["iterations"] ?? 0
    return whole > 0 ? Double(number) / Double(whole) : nil
  }

  /// All arrivals that were due: iterations, dropped and censored ones.
  package var startsDue: UInt64 { ["iterations", "dropped", "censored"].reduce(0) { $0 &+ (counters[$1] ?? 0) } }
}

extension ResultDocument {
  /// Whether the verdict is `fail` and the generator was saturated, without `--allow-saturated`, which leaves that out.
  package var failsBySaturation: Bool {
    verdict == .fail && generator.saturated && !notes.contains(Saturation.allowedNote)
  }
}

/// What to do about a saturated generator.
package enum Saturation {
  /// The note in a result whose verdict leaves the saturation out.
  package static let allowedNote = "the verdict leaves the saturation of the generator out: --allow-saturated"

  package static let advice =
    "Latencies may be too high by that: stop what else uses this machine's CPUs, use fewer users or a lower rate, "
    + "more event loops (--threads), or another machine for the target."
}
