import FoundationEssentials

/// Runs that were made at the same time. Each measured a part of one load, so that their rates add up; a merge divides the
/// sum of the work by the sum of the lengths, which is right of runs that followed one another.
struct RunOverlap {
  /// The run that began while another one went on, and that other one, by their places.
  let pairs: [(later: Int, earlier: Int)]

  /// In s: `startedAt` is written to the millisecond, rounded either way.
  private static let resolution = 0.002

  /// - Parameter documents: the runs, with their places in the answer.
  ///
  /// A length is that of the measured part alone, behind a set-up that no document tells: a run goes on for at least so long
  /// from its start. Runs that followed one another are never taken for overlapping by that, and those that overlap by less
  /// than their set-up have no overlap in what was measured.
  init(_ documents: [(place: Int, document: ResultDocument)]) {
    let runs = documents.compactMap { place, document in
      Self.start(of: document).map { (place: place, start: $0, end: $0 + document.durationSeconds) }
    }.sorted { ($0.start, $0.place) < ($1.start, $1.place) }
    var pairs: [(later: Int, earlier: Int)] = []
    var last: (place: Int, start: Double, end: Double)?
    for run in runs {
      if let last, run.start + Self.resolution < last.end { pairs.append((run.place, last.place)) }
      if run.end > last?.end ?? -.infinity { last = run }
    }
    self.pairs = pairs
  }

  /// In s since 1970.
  private static func start(of document: ResultDocument) -> Double? {
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    return (try? style.parse(document.startedAt))?.timeIntervalSince1970
  }
}
