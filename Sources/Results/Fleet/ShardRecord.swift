package import Latency

extension ResultDocument {
  /// Which part of a load that several generators made this run is.
  package struct Shard: Codable, Sendable, Equatable {
    /// From 0.
    package var index: Int
    package var of: Int
    /// The instant at which all shards were to begin, in UTC: ISO 8601 with milliseconds.
    package var startAt: String
    /// How far after it the measured part began, in s; the warm-up lies before.
    package var measuredFrom: Double
    /// How far after it the last answer came, in s; nil where nothing was asked.
    package var lastAnswerAt: Double?
    /// How late the first measured start was, in ms: from when it was due to its first byte.
    package var firstStartLatenessMs: Double?
    package var clock: ClockError?
    /// The lateness of all starts, so that the percentiles of all shards' are exact; nil without a start.
    package var lateness: MetricDocument.Histogram?
    /// The number of lines in the file beside the document that says which task was whose, and when
    /// (``AssignmentFile``); nil without that file.
    package var assignments: Int?

    package init(
      index: Int, of: Int, startAt: String, measuredFrom: Double, lastAnswerAt: Double? = nil,
      firstStartLatenessMs: Double? = nil, clock: ClockError? = nil, lateness: LatencyHistogram? = nil,
      assignments: Int? = nil
    ) {
      self.index = index
      self.of = of
      self.startAt = startAt
      self.measuredFrom = measuredFrom
      self.lastAnswerAt = lastAnswerAt
      self.firstStartLatenessMs = firstStartLatenessMs
      self.clock = clock
      self.lateness = lateness.flatMap { $0.isEmpty ? nil : MetricDocument.Histogram($0) }
      self.assignments = assignments
    }
  }

  /// What is known of a machine's clock.
  package struct ClockError: Codable, Sendable, Equatable {
    /// What told it: `folder` is the clock of the shared folder's file system, which all shards compare theirs with.
    package enum Source: String, Codable, Sendable {
      case folder, chrony, kernel
    }

    package var source: Source
    /// How far this machine's clock is ahead, in ms; negative: behind.
    package var offsetMs: Double
    /// How wrong the offset may be at most, in ms, in each direction.
    package var errorMs: Double

    package init(source: Source, offsetMs: Double, errorMs: Double) {
      self.source = source
      self.offsetMs = offsetMs
      self.errorMs = errorMs
    }
  }

  /// What several shards did together.
  package struct Fleet: Codable, Sendable, Equatable {
    /// The number of shards that the load was divided among.
    package var of: Int
    /// See ``Shard/startAt``.
    package var startAt: String
    /// How long starts were due, or were made, in s: the asked rate is over this time.
    package var startsSeconds: Double
    /// How far the first starts of the shards lay apart, in ms, by the clocks' offsets where those are known.
    package var startSpreadMs: Double?
    /// Assignments of a task that a user of another shard had at that time.
    package var duplicatesAcross: UInt64
    /// The shards that are not in this result; empty where it is whole.
    package var missing: [Int]
    package var shards: [Part]

    /// Whether shards are missing, so that no rate of it is that of the load.
    package var isPartial: Bool { !missing.isEmpty }

    /// Why the shards are no single load, in a sentence; nil where they are one.
    package var failure: String? {
      guard let startSpreadMs, startSpreadMs > Self.mostSpreadMs else { return nil }
      return
        "the first starts lay \(Int(startSpreadMs.rounded())) ms apart, more than a second: this was no single load"
    }

    /// What a reader has to know, where the shards are one load.
    package var note: String? {
      guard let startSpreadMs, startSpreadMs > Self.notedSpreadMs, failure == nil else { return nil }
      return
        "the first starts lay \(Int(startSpreadMs.rounded())) ms apart: percentiles of the first moments are of fewer "
        + "shards"
    }

    /// In ms.
    package static let notedSpreadMs = 50.0
    package static let mostSpreadMs = 1000.0
  }
}

extension ResultDocument.Fleet {
  /// One shard in the result of all.
  package struct Part: Codable, Sendable, Equatable {
    package var index: Int
    package var hostname: String
    package var iterations: UInt64
    package var errors: UInt64
    package var cpuUtilisation: Double
    package var scheduleLatenessP99Ms: Double?
    package var backlogMax: UInt64
    package var saturated: Bool
    package var firstStartLatenessMs: Double?
    package var clock: ResultDocument.ClockError?

    init(_ document: ResultDocument, _ shard: ResultDocument.Shard) {
      index = shard.index
      hostname = document.environment.hostname
      iterations = document.counters["iterations"] ?? 0
      errors = document.counters["errors"] ?? 0
      cpuUtilisation = document.generator.cpuUtilisation
      scheduleLatenessP99Ms = document.generator.scheduleLatenessP99Ms
      backlogMax = document.generator.backlogMax
      saturated = document.generator.saturated
      firstStartLatenessMs = shard.firstStartLatenessMs
      clock = shard.clock
    }

    /// When the first start was, in ms after the agreed instant, by the clock that all shards compared theirs with.
    var firstStartMs: Double? {
      firstStartLatenessMs.map { $0 - (clock?.source == .folder ? clock?.offsetMs ?? 0 : 0) }
    }
  }
}
