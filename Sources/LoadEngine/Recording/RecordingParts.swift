public import Latency

/// Takes the recording of a run in parts while it goes on, such as a part a minute, so that a run that is killed leaves
/// its parts.
///
/// The parts together are the whole recording: histograms and errors are equal to it. Only what is known at the end is
/// missing in them: starts that were never begun, and missed ones.
public struct RecordingParts: Sendable {
  /// What was recorded in one part of the run.
  public struct Part: Sendable {
    /// Both count from the begin of the measured part.
    public var start: Nanoseconds
    /// See ``start``.
    public var end: Nanoseconds
    /// The iterations that ended within it, and the starts that were dropped.
    public var recording: Recording
  }

  /// Is called once when the measured part has begun, before any part is taken; a run that is over within some
  /// milliseconds does not call it.
  public var begun: @Sendable () -> Void = {}

  let every: Nanoseconds
  let take: @Sendable (Part) -> Void

  /// Parts end `every` so often, on a grid that begins with the measured part; the last one ends with the run.
  ///
  /// - Parameter take: Gets each part, one after another, from a thread that is no loop's; the next part is not begun
  ///   to be taken before it returns. It must not keep the part, whose memory the parts after the next one use.
  public init(every: Nanoseconds, take: @escaping @Sendable (Part) -> Void) {
    self.every = every
    self.take = take
  }

  func cutter(of recorders: [LoopRecorder]) -> IntervalCutter {
    IntervalCutter(every: every, begun: begun) { [take] end in
      var parts = recorders.map { $0.cut() }
      let cut = end()
      // The other loops' parts are added to the first one's, which its own loop's sum has already.
      var sum = Part(start: cut.start, end: cut.end, recording: parts.removeFirst())
      for part in parts { sum.recording.merge(part) }
      sum.recording.drop(cut.dropped)
      take(sum)
      recorders[0].reuse((consume sum).recording)
      for recorder in recorders.dropFirst() { recorder.reuse(parts.removeFirst()) }
    }
  }
}
