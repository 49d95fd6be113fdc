/// What a tool measures and counts, and which parameters it has. It is declared once, beside the tool's benchmark. All
/// code that judges, merges, compares or shows results uses the description, so that no report knows a tool by its
/// name.
///
/// ```swift
/// static let description = ToolDescription(
///   "bench-allocation", headlines: ["allocation", "confirmation"],
///   metrics: [.init("allocation"), .init("first_byte"), .init("connect", .setUp)],
///   counters: [.init("misses", .bad), .init("unclassified")],
///   parameters: ["waitFor", .init("userId", shapesLoad: false)],
///   defaultThresholds: ["allocation.p99 < 200ms"])
/// ```
///
/// A document holds the tool's name alone; a reader finds the description in ``ToolDescriptions``.
package struct ToolDescription: Sendable {
  /// `bench-allocation`
  package var name: String
  /// Whether this version of the suite has the tool. For an unknown tool, the description is made of those of all
  /// tools.
  package fileprivate(set) var isKnown = true
  /// The metric that the tool is there to measure, then the metrics that replace it, in order, where a run has no
  /// sample of it. No other metric may replace it, because its figures would be taken for the headline's.
  package var headlines: [String]
  /// In the order of reports.
  package var metrics: [Metric]
  /// The tool's own counters, which follow those of all tools, in the order of reports.
  package var counters: [Counter]
  package var parameters: [Parameter]
  package var breakdowns: [Breakdown]
  package var panels: [Panel]
  package var references: [Reference]
  /// The test plan's criteria for this tool, in addition to ``thresholdsOfAll``, as users write them.
  package var defaultThresholds: [String]
  /// Whether a failed iteration fails the run. In a tool that provokes failures it does not.
  package var judgesErrors: Bool
  /// Whether the tool can watch a long run minute by minute (`--soak`).
  package var canSoak: Bool

  /// What the other tools have beside it, each name once: the meaning of what a document has and this description lacks.
  fileprivate var others: (metrics: [Metric], counters: [Counter]) = ([], [])
  /// The parameters, of this tool and of the others, that do not shape the load.
  fileprivate var unshaping: Set<String>

  package init(
    _ name: String, headlines: [String], metrics: [Metric], counters: [Counter], parameters: [Parameter],
    breakdowns: [Breakdown] = [], panels: [Panel] = [], references: [Reference] = [], judgesErrors: Bool = true,
    defaultThresholds: [String] = [], canSoak: Bool = false
  ) {
    self.name = name
    self.headlines = headlines
    self.metrics = metrics
    self.counters = counters
    self.parameters = parameters
    self.breakdowns = breakdowns
    self.panels = panels
    self.references = references
    self.judgesErrors = judgesErrors
    self.defaultThresholds = defaultThresholds
    self.canSoak = canSoak
    unshaping = Set(parameters.filter { !$0.shapesLoad }.map(\.name))
  }
}

// MARK: What it is made of

extension ToolDescription {
  /// A latency metric.
  package struct Metric: Sendable, Equatable {
    package enum Role: Sendable {
      /// A time of iterations, or of what the tool does in their place: failures matter to it.
      case measured
      /// A time of setting up a connection, which is no part of an iteration: failed iterations say nothing about it. A
      /// run that has no other metric is worthless.
      case setUp
    }

    /// How many samples an iteration gives.
    package enum Samples: Sendable {
      case one
      /// One for each message of the user.
      case eachMessage
      /// One for each message of the user except the first.
      case eachLaterMessage
    }

    /// Which failures its latencies leave out.
    package enum Failures: Sendable {
      /// The iterations that failed or were not finished.
      case ofIterations
      /// Failures of its own. The run states their number, which can't be computed from a document's counters.
      case ofItsOwn
    }

    package var name: String
    package var role: Role
    package var samples: Samples
    package var failures: Failures
    /// The parameters with the time-outs that bound this metric; the longest that a run has counts.
    package var timeouts: [String]

    package init(
      _ name: String, _ role: Role = .measured, samples: Samples = .one, failures: Failures = .ofIterations,
      timeouts: [String] = ["timeout"]
    ) {
      self.name = name
      self.role = role
      self.samples = samples
      self.failures = failures
      self.timeouts = timeouts
    }
  }

  package struct Counter: Sendable, Equatable {
    /// Whether more of it is better or worse. A comparison judges the rates of such counters, and shows no others.
    package enum Meaning: Sendable { case good, bad }

    package enum Share: Sendable {
      case ofIterations
      /// A share of all arrivals that were due: those that became an iteration and those that did not.
      case ofDue
      /// No share: an iteration may count it any number of times.
      case none
    }

    package var name: String
    package var meaning: Meaning?
    package var share: Share

    package init(_ name: String, _ meaning: Meaning? = nil, share: Share = .ofIterations) {
      self.name = name
      self.meaning = meaning
      self.share = share
    }

    /// Tasks that a run was assigned and did not give back.
    package static let unreleased = Counter("unreleased", .bad)
  }

  /// A parameter of a run, under its name in results.
  package struct Parameter: Sendable, Equatable, ExpressibleByStringLiteral {
    package var name: String
    /// Whether runs that differ in it have different loads. If not, it only names where or as which user a run was
    /// made. A parameter that no description names shapes the load, so that one of a later version keeps runs apart.
    package var shapesLoad: Bool

    package init(_ name: String, shapesLoad: Bool) {
      self.name = name
      self.shapesLoad = shapesLoad
    }

    package init(stringLiteral name: String) { self.init(name, shapesLoad: true) }
  }

  /// A metric, and the parts whose means add up to its mean, or nearly so.
  package struct Breakdown: Sendable {
    package enum Part: Sendable {
      case metric(String)
      /// A metric that encloses others: the others are shown, and the rest of it.
      case enclosing(String, [String])
      /// The metric among them with as many samples as the whole; otherwise the first that a run has.
      case fitting([String])
    }

    package var whole: String
    /// In the order of time.
    package var parts: [Part]
    /// Whether the parts overlap, because each is the upper end of a polled time.
    package var overlaps: Bool
    /// A metric: a run that has it does not show this breakdown.
    package var unless: String?

    package init(of whole: String, _ parts: [Part], overlaps: Bool = false, unless: String? = nil) {
      self.whole = whole
      self.parts = parts
      self.overlaps = overlaps
      self.unless = unless
    }
  }

  /// Metrics that are shown side by side, under names for people.
  package struct Panel: Sendable {
    package struct Column: Sendable {
      package var metric: String
      package var name: String

      package init(_ metric: String, _ name: String) {
        self.metric = metric
        self.name = name
      }
    }

    package var title: String
    package var columns: [Column]
    /// The metrics that a run must have to show the panel; their distributions are drawn side by side.
    package var needs: [String]
    /// Sentences for the reader, each for runs that have the metric.
    package var remarks: [(metric: String, sentence: String)]

    package init(
      _ title: String, _ columns: [Column], needs: [String], remarks: [(metric: String, sentence: String)] = []
    ) {
      self.title = title
      self.columns = columns
      self.needs = needs
      self.remarks = remarks
    }
  }

  /// A figure that was measured elsewhere, shown beside a result. It is never part of a result.
  package struct Reference: Sendable, Equatable {
    package var what: String
    package var figure: String
    /// The metrics that a result must have so that the figure is shown beside it.
    package var needs: [String]

    package init(_ what: String, _ figure: String, needs: [String] = []) {
      self.what = what
      self.figure = figure
      self.needs = needs
    }
  }
}

// MARK: What is asked of it

extension ToolDescription {
  /// The counters that every tool has, in the order of reports. They precede the tool's own.
  package static let countersOfAll = [
    Counter("iterations"), Counter("errors", .bad), Counter("timeouts", .bad), Counter("dropped", .bad, share: .ofDue),
    Counter("censored", .bad, share: .ofDue),
  ]

  /// The criteria of every tool: no failure, no arrival without an answer, and, where a tool is assigned tasks, none
  /// left behind.
  package var thresholdsOfAll: [String] {
    let ownsTasks = counters.contains(.unreleased)
    return (judgesErrors ? ["errors == 0"] : []) + ["censored == 0"]
      + (ownsTasks ? ["\(Counter.unreleased.name) == 0"] : [])
  }

  package func metric(_ name: String) -> Metric? {
    metrics.first { $0.name == name } ?? others.metrics.first { $0.name == name }
  }

  package func counter(_ name: String) -> Counter? {
    (Self.countersOfAll + counters + others.counters).first { $0.name == name }
  }

  /// Whether a metric is a time of setting up.
  package func isSetUp(_ metric: String) -> Bool { self.metric(metric)?.role == .setUp }

  /// The headline among `names`: the first of ``headlines`` that it contains; nil where it contains none of them.
  package func headline(among names: some Collection<String>) -> String? { headlines.first(where: names.contains) }

  /// Metrics in the order of reports. Those that the tool does not have come last, by name.
  package func sorted(_ names: some Collection<String>, headline: String? = nil) -> [String] {
    let order = isKnown ? metrics.map(\.name) : []
    return names.sorted { first, second in
      if first == headline || second == headline { return first == headline && second != headline }
      let left = order.firstIndex(of: first) ?? Int.max
      let right = order.firstIndex(of: second) ?? Int.max
      return left == right ? first < second : left < right
    }
  }

  /// The counters whose rates are good or bad, in the order of reports: failures, the tool's own, arrivals that became
  /// no iteration, and what the run left behind.
  package var judgedCounters: [Counter] {
    let ofAll = Self.countersOfAll.filter { $0.meaning != nil }
    let known = counters + others.counters
    let own = known.filter { $0.meaning != nil && $0 != .unreleased }
    return ofAll.filter { $0.share == .ofIterations } + own + ofAll.filter { $0.share == .ofDue }
      + known.filter { $0 == .unreleased }
  }

  /// How many samples of `metric` an iteration gives in a run with `parameters`; 1 where the parameters do not tell.
  package func samplesPerIteration(of metric: String, _ parameters: [String: JSONValue]) -> UInt64 {
    guard case .int(let messages)? = parameters["messages"], messages > 1 else { return 1 }
    switch self.metric(metric)?.samples {
    case .eachMessage: return UInt64(messages)
    case .eachLaterMessage: return UInt64(messages) - 1
    case .one, nil: return 1
    }
  }

  /// The given parameters that shape the load, as text.
  package func shaping(_ parameters: [String: JSONValue]) -> [String: String] {
    parameters.filter { !unshaping.contains($0.key) && $0.value != .null }.mapValues(\.description)
  }
}

// MARK: Its name

extension ToolDescription: Hashable, Comparable, CustomStringConvertible {
  package var description: String { name }

  package static func == (left: ToolDescription, right: ToolDescription) -> Bool { left.name == right.name }
  package static func < (left: ToolDescription, right: ToolDescription) -> Bool { left.name < right.name }
  package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension ToolDescription: Codable {
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }

  /// Takes the description from the decoder's ``ToolDescriptions``.
  package init(from decoder: any Decoder) throws {
    let name = try decoder.singleValueContainer().decode(String.self)
    let tools = decoder.userInfo[ToolDescriptions.key] as? ToolDescriptions
    self = (tools ?? ToolDescriptions([])).description(of: name)
  }
}

/// The tools that a reader of results knows.
package struct ToolDescriptions: Sendable {
  package let all: [ToolDescription]
  /// With what each lacks beside the others. It is made once: a reader asks for the description of each document.
  private let byName: [String: ToolDescription]

  /// The key under which a decoder's user info has them.
  package static let key = CodingUserInfoKey.named("tools")

  package init(_ all: [ToolDescription]) {
    self.all = all
    byName = Dictionary(all.map { ($0.name, Self.completed($0, by: all)) }) { first, _ in first }
  }

  /// The description of a tool. One that is not known has no headline and no order of metrics. A metric, counter or parameter
  /// that a description does not name, as one of a later version, has the meaning that the other tools give to its name.
  package func description(of name: String) -> ToolDescription {
    if let known = byName[name] { return known }
    var unknown = ToolDescription(
      name, headlines: [], metrics: [], counters: [], parameters: [], panels: all.flatMap(\.panels),
      references: all.flatMap(\.references).filter { !$0.needs.isEmpty })
    unknown.isKnown = false
    return Self.completed(unknown, by: all)
  }

  private static func completed(_ tool: ToolDescription, by all: [ToolDescription]) -> ToolDescription {
    func others<Part>(_ parts: KeyPath<ToolDescription, [Part]>, by name: KeyPath<Part, String>) -> [Part] {
      var names = Set(tool[keyPath: parts].map { $0[keyPath: name] })
      return all.flatMap { $0[keyPath: parts] }.filter { names.insert($0[keyPath: name]).inserted }
    }
    var tool = tool
    tool.others = (others(\.metrics, by: \.name), others(\.counters, by: \.name))
    tool.unshaping.formUnion(others(\.parameters, by: \.name).filter { !$0.shapesLoad }.map(\.name))
    return tool
  }

  /// The metrics of all tools, sorted by tool. A name may occur twice.
  package var metricNames: [String] { all.sorted().flatMap { $0.metrics.map(\.name) } }

  /// The names of all counters whose rates are judged.
  package var judgedCounterNames: Set<String> { Set(all.flatMap { $0.judgedCounters.map(\.name) }) }
}

extension CodingUserInfoKey {
  /// The key of this name. The initialiser is failable because a raw value can be of any type; every text is a key.
  static func named(_ name: String) -> CodingUserInfoKey {
    CodingUserInfoKey(rawValue: name) ?? { preconditionFailure("every text is a key") }()
  }
}
