/// When a transfer happened, and how long its phases took. All values are nanoseconds.
///
/// `sentAt` and `answeredAt` are taken on libcurl's own thread, right before the transfer is handed to libcurl and right
/// after libcurl reports it complete: Swift's task scheduling is not in them. With one transfer at a time they bracket the
/// exchange to some tens of microseconds; transfers that run at the same moment share the thread and delay each other's
/// stamps. The phases are libcurl's own, in steps of 1 µs.
public struct TransferTimings: Sendable, Equatable {
  /// Instant on `MonotonicClock` at which the transfer began; the name look-up and connecting come after it.
  public var sentAt: UInt64
  /// Instant on `MonotonicClock` at which the whole answer had been read.
  public var answeredAt: UInt64
  /// Whether a kept-alive connection was used; if so there are no ``nameLookup``, ``connect`` and ``tls``.
  public var reusedConnection: Bool
  /// Duration of the name look-up, `nil` on a reused connection.
  public var nameLookup: UInt64?
  /// Duration of the TCP handshake, `nil` on a reused connection.
  public var connect: UInt64?
  /// Duration of the TLS handshake, `nil` without TLS and on a reused connection.
  public var tls: UInt64?
  /// From the transfer's start to the answer's first byte.
  public var firstByte: UInt64
  /// From the transfer's start to its end.
  public var total: UInt64

  /// Makes timings.
  public init(
    sentAt: UInt64, answeredAt: UInt64, reusedConnection: Bool = false, nameLookup: UInt64? = nil,
    connect: UInt64? = nil, tls: UInt64? = nil, firstByte: UInt64 = 0, total: UInt64 = 0
  ) {
    self.sentAt = sentAt
    self.answeredAt = answeredAt
    self.reusedConnection = reusedConnection
    self.nameLookup = nameLookup
    self.connect = connect
    self.tls = tls
    self.firstByte = firstByte
    self.total = total
  }
}
