import Latency

/// One stage of a schedule: the rate goes linearly from one value to another.
struct RateRamp: Sendable, Equatable {
  let begin: Nanoseconds
  let duration: Nanoseconds
  let from: ArrivalRate
  let to: ArrivalRate
  /// The cumulated rate, which is the area under all ramps so far, at the begin of this ramp; `areaAfter` is the one at
  /// its end.
  let areaBefore: Double
  let areaAfter: Double

  init(begin: Nanoseconds, duration: Nanoseconds, from: ArrivalRate, to: ArrivalRate, areaBefore: Double) {
    self.begin = begin
    self.duration = duration
    self.from = from
    self.to = to
    self.areaBefore = areaBefore
    areaAfter = Self.wholeIfNearly(
      areaBefore + Double(duration.nanoseconds) * (from.perNanosecond / 2 + to.perNanosecond / 2))
  }

  /// Whether the start at `position` lies within this ramp or an earlier one.
  func reaches(beyond position: StartPosition) -> Bool {
    (Double(position.whole) - areaAfter) + position.fraction < 0
  }

  /// The offset from the schedule's begin at which the cumulated rate goes beyond `position`, which lies within this
  /// ramp. It is rounded down where the rate is flat. Elsewhere it is a root, which is not exact, and is rounded to the
  /// nearest.
  func offset(of position: StartPosition) -> Nanoseconds {
    let done = max(0, (Double(position.whole) - areaBefore) + position.fraction)
    let exact: Double
    if from.perNanosecond == to.perNanosecond {
      exact = done * Double(from.period.nanoseconds) / Double(from.starts)
    } else if from.perNanosecond < to.perNanosecond {
      exact = time(ofArea: done, from: from, to: to).rounded()
    } else {
      // A falling ramp is solved from its end, where it rises backwards: from its begin two nearly equal numbers would
      // be subtracted.
      let missing = (areaAfter - Double(position.whole)) - position.fraction
      exact = Double(duration.nanoseconds) - time(ofArea: missing, from: to, to: from).rounded()
    }
    // Some area lies beyond the position, so the offset is before the ramp's end.
    let within = exact >= Double(duration.nanoseconds) ? duration : Nanoseconds(UInt64(max(0, exact)))
    return begin + min(within, duration - 1)
  }

  /// The root of slope/2·t² + low·t = area, in the form that subtracts nothing (Press et al., Numerical Recipes, 5.6).
  private func time(ofArea area: Double, from low: ArrivalRate, to high: ArrivalRate) -> Double {
    guard area > 0 else { return 0 }
    let slope = (high.perNanosecond - low.perNanosecond) / Double(duration.nanoseconds)
    let root = (low.perNanosecond * low.perNanosecond + 2 * slope * area).squareRoot()
    return 2 * area / (low.perNanosecond + root)
  }

  /// Areas are mostly whole numbers. One that is off by rounding only must not gain or lose a start.
  private static func wholeIfNearly(_ area: Double) -> Double {
    abs(area - area.rounded()) <= area * 1e-13 ? area.rounded() : area
  }
}
