extension Duration {
  /// The duration in whole nanoseconds, cut off to what a `UInt64` holds: 0 where it is negative.
  ///
  /// The way back is `Duration.nanoseconds(_:)`.
  public var wholeNanoseconds: UInt64 {
    let nanoseconds = attoseconds / 1_000_000_000
    return UInt64(clamping: nanoseconds)
  }
}
