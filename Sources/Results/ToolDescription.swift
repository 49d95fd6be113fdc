/// What a tool measures, counts and can be asked for. It is declared once, beside the tool's benchmark; everything that judges,
/// merges, compares or shows results goes by it, so that no report knows a tool by its name.
///
/// ```swift
/// static let description = ToolDescription(
///   "bench-allocation", headlines: ["allocation", "confirmation"],
///   metrics: [Metric("allocation"), Metric("first_byte"), Metric("connect", .setUp)],
///   counters: [Counter("misses", .bad), Counter("unclassified")],
///   parameters: ["waitFor", Parameter("userId", shapesLoad: false)],
///   defaultThresholds: ["allocation.p99 < 200ms"])
/// ```
///
/// In a document stands the name alone: a reader finds the description by ``ToolDescriptions``.
package struct ToolDescription: Sendable {
  /// `bench-allocation`
  package var name: String
  /// Whether this version of the suite has the tool. The description of one that it hasn't is made of what all tools have.
  package fileprivate(set) var isKnown = true
  /// The metric that the tool is there to measure, then those that stand for it, in their order, where a run has no sample of
  /// it. No other metric may: its figures would be taken for the headline's.
  package var headlines: [String]
  /// In the order of reports.
  package var metrics: [Metric]
  /// Beside those of all tools, in the order of reports.
  package var counters: [Counter]
  package var parameters: [Parameter]
  package var breakdowns: [Breakdown]
  package var panels: [Panel]
  package var references: [Reference]
  /// The test plan's criteria beside ``thresholdsOfAll``, as users write them.
  package var defaultThresholds: [String]

  package init(
    _ name: String, headlines: [String], metrics: [Metric], counters: [Counter], parameters: [Parameter],
    breakdowns: [Breakdown] = [], panels: [Panel] = [], references: [Reference] = [], defaultThresholds: [String] = []
  ) {
    self.name = name
    self.headlines = headlines
    self.metrics = metrics
    self.counters = counters
    self.parameters = parameters
    self.breakdowns = breakdowns
    self.panels = panels
    self.references = references
    self.defaultThresholds = defaultThresholds
  }
}

// MARK: What it is made of

extension ToolDescription {
  /// A latency metric.
  package struct Metric: Sendable, Equatable {
    package enum Role: Sendable {
      /// A time of iterations, or of what the tool does instead: failures say something of it.
      case measured
      /// Of setting up a connection, which is no part of an iteration: no failure of an iteration says anything of it, and a run
      /// that has no other metric is worthless.
      case setUp
    }

    /// How many samples an iteration gives.
    package enum Samples: Sendable {
      case one
      /// One of each message of the user.
      case eachMessage
      /// One of each message of the user but the first.
      case eachLaterMessage
    }

    /// Which failures its latencies leave out.
    package enum Failures: Sendable {
      /// The iterations that failed or were not finished.
      case ofIterations
      /// Failures of its own, whose number the run gives; it can't be computed from a document's counters.
      case ofItsOwn
    }

    package var name: String
    package var role: Role
    package var samples: Samples
    package var failures: Failures
    /// The parameters, durations, that bound one of its times; the longest that a run has counts.
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
    /// Whether more of it is better or worse. A comparison judges such a counter's rate, and shows no other.
    package enum Meaning: Sendable { case good, bad }

    package enum Share: Sendable {
      case ofIterations
      /// Of all starts that were due: those that became an iteration and those that didn't.
      case ofDue
      /// Of nothing: there are any number in one iteration.
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

    /// Tasks that a run was given and did not get rid of.
    package static let unreleased = Counter("unreleased", .bad)
  }

  /// What a user can ask for, as results name it.
  package struct Parameter: Sendable, Equatable, ExpressibleByStringLiteral {
    package var name: String
    /// Whether runs that differ in it are under different loads. Else it names where or as whom a run was made. A parameter that
    /// no description names shapes the load, so that one of a later version keeps runs apart.
    package var shapesLoad: Bool

    package init(_ name: String, shapesLoad: Bool) {
      self.name = name
      self.shapesLoad = shapesLoad
    }

    package init(stringLiteral name: String) { self.init(name, shapesLoad: true) }
  }

  /// A metric, and the parts whose means add up to its mean, or nearly.
  package struct Breakdown: Sendable {
    package enum Part: Sendable {
      case metric(String)
      /// A metric that encloses others: they are shown, and what is left of it.
      case enclosing(String, [String])
      /// The one of them with as many samples as the whole has; else the first that a run has.
      case fitting([String])
    }

    package var whole: String
    /// In the order of time.
    package var parts: [Part]
    /// Whether each part is the upper end of what polling leaves open, so that they overlap.
    package var overlaps: Bool
    /// It is not shown of a run that has this metric.
    package var unless: String?

    package init(of whole: String, _ parts: [Part], overlaps: Bool = false, unless: String? = nil) {
      self.whole = whole
      self.parts = parts
      self.overlaps = overlaps
      self.unless = unless
    }
  }

  /// Metrics that are read beside one another, under names that people have for them.
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
    /// A run without one of these metrics has no panel; their distributions are drawn beside one another.
    package var needs: [String]
    /// What is to be known where a run has the metric.
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

  /// A figure that was measured elsewhere, to be read beside a result. It is never part of one.
  package struct Reference: Sendable, Equatable {
    package var what: String
    package var figure: String
    /// It stands beside results that have all of these metrics.
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
  /// Counters of every tool. They come first, in this order.
  package static let countersOfAll = [
    Counter("iterations"), Counter("errors", .bad), Counter("timeouts", .bad), Counter("dropped", .bad, share: .ofDue),
    Counter("censored", .bad, share: .ofDue),
  ]

  /// Criteria of every tool: nothing failed, nothing was left unanswered, and no task was left behind by a tool that takes any.
  package var thresholdsOfAll: [String] {
    let ownsTasks = counters.contains(.unreleased)
    return ["errors == 0", "censored == 0"] + (ownsTasks ? ["\(Counter.unreleased.name) == 0"] : [])
  }

  package func metric(_ name: String) -> Metric? { metrics.first { $0.name == name } }

  package func counter(_ name: String) -> Counter? {
    Self.countersOfAll.first { $0.name == name } ?? counters.first { $0.name == name }
  }

  /// Whether a metric is of setting up.
  package func isSetUp(_ metric: String) -> Bool { self.metric(metric)?.role == .setUp }

  /// The metric of `names` that stands for the run: the first headline that is among them; nil where none is.
  package func headline(among names: some Collection<String>) -> String? { headlines.first(where: names.contains) }

  /// Metrics in the order of reports; those that the tool doesn't have come last, by name.
  package func sorted(_ names: some Collection<String>, headline: String? = nil) -> [String] {
    let order = isKnown ? metrics.map(\.name) : []
    return names.sorted { first, second in
      if first == headline || second == headline { return first == headline && second != headline }
      let left = order.firstIndex(of: first) ?? Int.max
      let right = order.firstIndex(of: second) ?? Int.max
      return left == right ? first < second : left < right
    }
  }

  /// The counters whose rates are good or bad, in the order of reports: failures first, then the tool's own, then starts that
  /// came to nothing, and last what the run left behind.
  package var judgedCounters: [Counter] {
    let ofAll = Self.countersOfAll.filter { $0.meaning != nil }
    let own = counters.filter { $0.meaning != nil && $0 != .unreleased }
    return ofAll.filter { $0.share == .ofIterations } + own + ofAll.filter { $0.share == .ofDue }
      + counters.filter { $0 == .unreleased }
  }

  /// How many samples of `metric` an iteration of a run with `parameters` gives; 1 where the parameters don't tell.
  package func samplesPerIteration(of metric: String, _ parameters: [String: JSONValue]) -> UInt64 {
    guard case .int(let messages)? = parameters["messages"], messages > 1 else { return 1 }
    switch self.metric(metric)?.samples {
    case .eachMessage: return UInt64(messages)
    case .eachLaterMessage: return UInt64(messages) - 1
    case .one, nil: return 1
    }
  }

  /// The parameters that shape the load, as text, without those that were not given.
  package func shaping(_ parameters: [String: JSONValue]) -> [String: String] {
    // Every run has another seed, unless it is given.
    let others = Set(self.parameters.filter { !$0.shapesLoad }.map(\.name) + ["seed"])
    return parameters.filter { !others.contains($0.key) && $0.value != .null }.mapValues(\.description)
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
  package var all: [ToolDescription]

  /// Where a decoder finds them.
  package static let key = CodingUserInfoKey(rawValue: "tools") ?? { preconditionFailure("any text is a key") }()

  package init(_ all: [ToolDescription]) { self.all = all }

  /// A tool's description. That of a tool which isn't known has no headline and no order of metrics, and takes its metrics,
  /// counters and parameters for what the known tools mean by their names.
  package func description(of name: String) -> ToolDescription {
    if let known = all.first(where: { $0.name == name }) { return known }
    func united<Part>(_ parts: KeyPath<ToolDescription, [Part]>, by name: KeyPath<Part, String>) -> [Part] {
      var names: Set<String> = []
      return all.flatMap { $0[keyPath: parts] }.filter { names.insert($0[keyPath: name]).inserted }
    }
    var unknown = ToolDescription(
      name, headlines: [], metrics: united(\.metrics, by: \.name), counters: united(\.counters, by: \.name),
      parameters: united(\.parameters, by: \.name), panels: all.flatMap(\.panels),
      references: all.flatMap(\.references).filter { !$0.needs.isEmpty })
    unknown.isKnown = false
    return unknown
  }

  /// Every metric of every tool, by tool; a name may be there twice.
  package var metricNames: [String] { all.sorted().flatMap { $0.metrics.map(\.name) } }

  /// Every counter whose rate is judged.
  package var judgedCounterNames: Set<String> { Set(all.flatMap { $0.judgedCounters.map(\.name) }) }
}
