/// The timeline of a report that draws one, where the user asked for none.
enum UsualTimeline {
  private static let intervals: UInt64 = 100
  private static let shortest: UInt64 = 20_000_000
  private static let unknown: UInt64 = 50_000_000
  private static let longest: UInt64 = 1_000_000_000

  /// The length of an interval in ns, for a run of `length` ns where that is known before: a hundred intervals, each as
  /// long as cutting it is worth. A run that turns out to be long has them merged.
  static func interval(forLength length: UInt64?) -> UInt64 {
    guard let length else { return unknown }
    return min(max(length / intervals, shortest), longest)
  }
}

extension LoadSettings {
  /// Gives the run a timeline if a report of it draws one and it has none.
  mutating func addTimeline(for output: OutputSettings) {
    guard arrivals.timeline == nil, output.formats.contains(where: \.drawsTimeline) else { return }
    arrivals.timeline = UsualTimeline.interval(forLength: length)
  }
}
