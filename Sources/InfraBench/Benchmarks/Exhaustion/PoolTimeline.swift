/// The pool's counts over time, of bounded length: when it is full, every second point goes.
package struct PoolTimeline: Sendable, Equatable {
  /// What one poll showed; a count that could not be had is nil, and a gap in the timeline.
  package struct Point: Sendable, Equatable {
    /// Seconds since the first poll was sent.
    package var seconds: Double
    package var counts: [RefillTracker.View: Int]
    /// Why a view is missing here, or in a point that went: `throttled` or `lost`.
    package var gap: String?

    package init(seconds: Double, counts: [RefillTracker.View: Int], gap: String? = nil) {
      self.seconds = seconds
      self.counts = counts
      self.gap = gap
    }
  }

  package private(set) var points: [Point] = []
  private let views: [RefillTracker.View]
  private let limit: Int
  private var stride = 1
  private var untilNext = 0
  /// The latest point, if it was passed over: the end of a run is always shown.
  private var passedOver: Point?

  /// A timeline of at most `limit` points, at least two, for these views.
  package init(views: [RefillTracker.View], limit: Int = 1_200) {
    self.views = views
    self.limit = max(2, limit)
  }

  /// Adds the latest point.
  package mutating func add(_ point: Point) {
    var point = point
    // A gap must not vanish with the point that showed it.
    point.gap = point.gap ?? passedOver?.gap
    passedOver = point
    guard untilNext == 0 else { return untilNext -= 1 }
    if points.count == limit { thinOut() }
    points.append(point)
    passedOver = nil
    untilNext = stride - 1
  }

  private mutating func thinOut() {
    points = points.indices.filter { $0.isMultiple(of: 2) }.map { index in
      var kept = points[index]
      if index + 1 < points.endIndex { kept.gap = kept.gap ?? points[index + 1].gap }
      return kept
    }
    stride *= 2
  }

  /// As results hold it.
  package var document: [[String: JSONValue]] {
    (points + (passedOver.map { [$0] } ?? [])).map { point in
      var entry: [String: JSONValue] = ["t": .double(point.seconds)]
      for view in views { entry[view.rawValue] = point.counts[view].map { .int(Int64($0)) } ?? .null }
      if let gap = point.gap { entry["gap"] = .string(gap) }
      return entry
    }
  }
}
