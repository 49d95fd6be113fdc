/// The lines of a soak's file, `infrabench.soak/1` (docs/soak.md): a head, then one line for each minute, then, where
/// the run came to its end, an end. Each is one JSON object, and is on the disk before the next one is begun.
package enum SoakLine: Sendable, Equatable {
  case head(SoakHead)
  case minute(SoakMinute)
  case end(SoakEnd)

  /// The schema that the head names.
  package static let schema = "infrabench.soak/1"
  /// The lengths that a minute may have, in s.
  package static let lengths = 1.0...86_400.0
  /// The most minutes of a file: 69 days of true minutes.
  package static let mostMinutes = 100_000
  /// How the names of these files end.
  package static let fileSuffix = ".soak.ndjson"
}

/// All that is known when a soak begins: with the minutes it makes a result.
package struct SoakHead: Codable, Sendable, Equatable {
  /// A criterion as it was written.
  package struct Criterion: Codable, Sendable, Equatable {
    package var expression: String
    package var isDefault: Bool

    package init(expression: String, isDefault: Bool) {
      self.expression = expression
      self.isDefault = isDefault
    }
  }

  package var schema = SoakLine.schema
  package var tool: ToolDescription
  package var version: String
  package var build: String
  package var label: String?
  /// In UTC: ISO 8601 with milliseconds.
  package var startedAt: String
  /// The length of a minute; another one than 60 makes tests quick.
  package var everySeconds: Double
  package var parameters: [String: JSONValue]
  package var target: ResultDocument.Target
  package var environment: EnvironmentFacts
  package var thresholds: [Criterion]
  /// Counters that this run does not test, so that its result leaves them out.
  package var untested: [String]
  /// Sentences that a reader of the figures must know, as far as they were known.
  package var notes: [String]

  package init(
    tool: ToolDescription, version: String, build: String, label: String?, startedAt: String, everySeconds: Double,
    parameters: [String: JSONValue], target: ResultDocument.Target, environment: EnvironmentFacts,
    thresholds: [Criterion], untested: [String], notes: [String]
  ) {
    self.tool = tool
    self.version = version
    self.build = build
    self.label = label
    self.startedAt = startedAt
    self.everySeconds = everySeconds
    self.parameters = parameters
    self.target = target
    self.environment = environment
    self.thresholds = thresholds
    self.untested = untested
    self.notes = notes
  }

  /// The series that a threshold is about: `end_to_end_p99` of `end_to_end_p99_growth < 5%`.
  package var namedSeries: Set<String> {
    let ending = "_growth"
    let subjects = thresholds.map { criterion in criterion.expression.prefix { !" <>=".contains($0) } }
    return Set(subjects.filter { $0.hasSuffix(ending) }.map { String($0.dropLast(ending.count)) })
  }
}

/// What one minute of a soak measured. The sums of all minutes are the run's.
package struct SoakMinute: Codable, Sendable, Equatable {
  /// What the system says of one process at the end of the minute.
  package struct Process: Codable, Sendable, Equatable {
    /// Resident memory.
    package var rssBytes: UInt64
    package var descriptors: UInt64
    package var threads: UInt64
    /// CPU time used in the minute divided by the minute's length: 1 is one core.
    package var cpu: Double

    package init(rssBytes: UInt64, descriptors: UInt64, threads: UInt64, cpu: Double) {
      self.rssBytes = rssBytes
      self.descriptors = descriptors
      self.threads = threads
      self.cpu = cpu
    }
  }

  /// The pool in the minute, by looks at the gateway's status.
  package struct Pool: Codable, Sendable, Equatable {
    /// The time that the looks cover, and the part of it without a warm task, in s. A look counts until the next one.
    package var watchedSeconds: Double
    package var emptySeconds: Double
    /// Means over the watched time.
    package var warm: Double
    package var assigned: Double
    /// Tasks that are being started; nil where the status does not list tasks.
    package var starting: Double?
    /// The age of the oldest warm task at the last look, in s; nil without a warm task or without times of tasks.
    package var oldestWarmSeconds: Double?

    package init(
      watchedSeconds: Double, emptySeconds: Double, warm: Double, assigned: Double, starting: Double? = nil,
      oldestWarmSeconds: Double? = nil
    ) {
      self.watchedSeconds = watchedSeconds
      self.emptySeconds = emptySeconds
      self.warm = warm
      self.assigned = assigned
      self.starting = starting
      self.oldestWarmSeconds = oldestWarmSeconds
    }
  }

  /// The begin, in s from the begin of the measured part, and the length.
  package var t: Double
  package var seconds: Double
  package var counters: [String: UInt64]
  package var errors: [ResultDocument.Failure]
  /// The minute's latencies by metric: HdrHistogram's V2 compressed encoding in base64, in ns.
  package var histograms: [String: String]
  /// The number of values beyond 1 ns–1 h by metric, where there were any.
  package var clamped: [String: UInt64]?
  package var tool: Process?
  /// The embedded gateway's process.
  package var gateway: Process?
  package var pool: Pool?

  package init(
    t: Double, seconds: Double, counters: [String: UInt64], errors: [ResultDocument.Failure],
    histograms: [String: String], clamped: [String: UInt64]? = nil, tool: Process? = nil, gateway: Process? = nil,
    pool: Pool? = nil
  ) {
    self.t = t
    self.seconds = seconds
    self.counters = counters
    self.errors = errors
    self.histograms = histograms
    self.clamped = clamped
    self.tool = tool
    self.gateway = gateway
    self.pool = pool
  }
}

/// What is known only when a soak has come to its end.
package struct SoakEnd: Codable, Sendable, Equatable {
  package var durationSeconds: Double
  package var verdict: ResultDocument.Verdict
  /// The counters of the whole run: those that no minute has, such as tasks that were not given back, are in them too.
  package var counters: [String: UInt64]
  package var errors: [ResultDocument.Failure]
  package var generator: ResultDocument.Generator
  package var notes: [String]
  package var findings: [String: JSONValue]?

  package init(of document: ResultDocument) {
    durationSeconds = document.durationSeconds
    verdict = document.verdict
    counters = document.counters
    errors = document.errors
    generator = document.generator
    notes = document.notes
    findings = document.findings
  }
}
