import Synchronization

/// Numbers from 1.
final class Counting: Sendable {
  private let last = Atomic(0)

  func next() -> Int { last.add(1, ordering: .relaxed).newValue }
}
