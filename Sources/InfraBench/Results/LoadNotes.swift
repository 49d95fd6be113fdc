import Latency
import LoadEngine

/// What a reader must know of starts that are in no latency, or that waited.
struct LoadNotes {
  let recording: Recording
  let backlogMax: UInt64
  /// The most in flight at one time; nil in a closed loop.
  let mostInFlight: Int64?
  let isInterrupted: Bool
  /// How long the target had answered nothing when starts ended, and how long it had answered before, in ns.
  var silence: (length: UInt64, since: UInt64)?

  /// The heaviest first.
  var all: [String] { [silent, unfinished, dropped, missed, waiting].compactMap { $0 } }

  /// All starts that were due.
  private var due: UInt64 { recording.iterations + recording.dropped + recording.censored }

  /// Starts that had neither been answered nor met their time-out. An interruption ends what is under way: then there is
  /// nothing to be said of it.
  private var unfinished: String? {
    let number = recording.censored
    guard number > 0, !isInterrupted else { return nil }
    return
      "\(number) of \(due) starts \(Self.were(number)) still within \(number == 1 ? "its" : "their") time-out when "
      + "the run had to end: percentiles are of the others"
  }

  private var silent: String? {
    guard let silence, !isInterrupted else { return nil }
    let length = LatencyText.format(silence.length)
    guard recording.lastAnswerAt != nil else { return "nothing was answered in \(length)" }
    return "nothing was answered in the last \(length) of the run: the last answer came "
      + "\(LatencyText.format(silence.since)) after its begin"
  }

  private var missed: String? {
    let number = recording.missed
    guard number > 0 else { return nil }
    return
      "\(number) of the \(recording.dropped) dropped starts \(Self.were(number)) missed by the generator while a user "
      + "was free: they count as late"
  }

  private var dropped: String? {
    let number = recording.dropped
    guard number > 0 else { return nil }
    return "\(number) of \(due) starts \(Self.were(number)) dropped: no latency shows them"
  }

  private var waiting: String? {
    guard backlogMax > 0, let mostInFlight else { return nil }
    let starts = backlogMax == 1 ? "1 start" : "\(backlogMax) starts"
    let busy = mostInFlight == 1 ? "the only user was" : "all \(mostInFlight) users were"
    return "up to \(starts) waited because \(busy) busy; if the target is to take more at once, raise --max-in-flight"
  }

  private static func were(_ number: UInt64) -> String { number == 1 ? "was" : "were" }
}
