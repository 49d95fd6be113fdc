import Synchronization

/// Set when a connection has ended or is given up. With TLS the channel stays active for a while after that.
final class ClosingFlag: Sendable {
  private let flag = Atomic(false)

  var hasBegun: Bool { flag.load(ordering: .acquiring) }
  func begin() { flag.store(true, ordering: .releasing) }
}
