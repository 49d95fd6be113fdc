import Latency

/// A rate integrated over time gives the starts expected by an instant. This type is its inverse: it gives the instant
/// by which a number of starts is expected.
///
/// A process of rate 1 mapped through the inverse of the cumulated rate has that rate at every instant (time rescaling:
/// Çinlar, Introduction to Stochastic Processes, 1975, ch. 4.7; Lewis & Shedler, Simulation of nonhomogeneous Poisson
/// processes by thinning, 1979, section 1). Evenly spaced starts are mapped in the same way.
enum CumulativeRate: Sendable, Equatable {
  case constant(ArrivalRate)
  case ramps([RateRamp])

  init(_ stages: [RateStage], from: ArrivalRate) {
    var ramps: [RateRamp] = []
    var (rate, begin, area) = (from, Nanoseconds.zero, 0.0)
    for stage in stages {
      if stage.duration > .zero {
        let ramp = RateRamp(begin: begin, duration: stage.duration, from: rate, to: stage.target, areaBefore: area)
        (begin, area) = (begin + stage.duration, ramp.areaAfter)
        ramps.append(ramp)
      }
      rate = stage.target
    }
    self = .ramps(ramps)
  }

  /// The length of all ramps; nil for a constant rate, which has no end.
  var length: Nanoseconds? {
    switch self {
    case .constant: nil
    case .ramps(let ramps): ramps.last.map { $0.begin + $0.duration } ?? .zero
    }
  }

  /// The first instant at which the cumulated rate goes beyond `position`; nil if it never does. The search begins at
  /// ramp `first` and sets `first` to the ramp where it ended.
  func offset(of position: StartPosition, first: inout Int) -> Nanoseconds? {
    switch self {
    case .constant(let rate): return Self.offset(of: position, at: rate)
    case .ramps(let ramps):
      while first < ramps.count, !ramps[first].reaches(beyond: position) { first += 1 }
      return first < ramps.count ? ramps[first].offset(of: position) : nil
    }
  }

  /// floor(position · period / starts), exact in its whole part.
  private static func offset(of position: StartPosition, at rate: ArrivalRate) -> Nanoseconds? {
    let product = position.whole.multipliedFullWidth(by: rate.period.nanoseconds)
    guard product.high < rate.starts else { return nil }
    let (quotient, remainder) = rate.starts.dividingFullWidth(product)
    guard position.fraction > 0 else { return Nanoseconds(quotient) }
    let rest = (Double(remainder) + position.fraction * Double(rate.period.nanoseconds)) / Double(rate.starts)
    guard let nanoseconds = UInt64(exactly: rest.rounded(.down)) else { return nil }
    let (sum, overflow) = quotient.addingReportingOverflow(nanoseconds)
    return overflow ? nil : Nanoseconds(sum)
  }
}
