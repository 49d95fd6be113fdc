/// A server that is deaf for a while, again and again: in the middle of every period since the first acquire, so that a run over
/// whole periods holds whole stalls.
public struct Stall: Sendable, Equatable {
  /// How long it is deaf, in ns; less than ``period``.
  public let length: UInt64
  /// From one stall's beginning to the next one's, in ns.
  public let period: UInt64

  /// Makes a stall of `length` ns in every `period` ns; nil unless 0 < `length` < `period`.
  public init?(length: UInt64, period: UInt64) {
    guard length > 0, length < period else { return nil }
    self.length = length
    self.period = period
  }

  /// `instant`, or the end of the stall that it lies in; ns, not before `epoch`.
  func firstHearing(from instant: UInt64, epoch: UInt64) -> UInt64 {
    let phase = (max(instant, epoch) - epoch) % period
    let begin = (period - length) / 2
    let isDeaf = phase >= begin && phase < begin + length
    return isDeaf ? instant + (begin + length - phase) : instant
  }
}
