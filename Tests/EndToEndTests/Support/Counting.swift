import Synchronization

/// Numbers from 1.
final class Counting: Sendable {
  private let counter = Atomic(0)

  func next() -> Int { counter.add(1, ordering: .relaxed).newValue }

  /// The last one given; 0 before the first.
  var last: Int { counter.load(ordering: .relaxed) }
}
