/// A part of a run that several generators share: shard `index` of `count`.
///
/// All shards have the plan of the whole. Of everything that is numbered (starts, iterations, users) each takes the
/// numbers that are its own modulo the number of shards, so that the shards together do exactly what one generator
/// would do:
///
/// ```swift
/// let second = Shard(index: 1, of: 4)
/// second?.share(of: 10)  // 3: places 1, 5 and 9
/// second?.number(at: 2)  // 10: the third user of this shard
/// ```
public struct Shard: Sendable, Equatable {
  /// From 0.
  public let index: Int
  /// The number of shards, at least 1.
  public let count: Int

  /// The only shard of a run that one generator makes.
  public static let whole = Shard(unchecked: 0, of: 1)

  /// The most shards of a run.
  public static let most = 100_000

  /// Nil where there is no such shard: `count` has to be from 1 to ``most``, `index` from 0 to `count` − 1.
  public init?(index: Int, of count: Int) {
    guard (1...Self.most).contains(count), (0..<count).contains(index) else { return nil }
    self.init(unchecked: index, of: count)
  }

  private init(unchecked index: Int, of count: Int) {
    self.index = index
    self.count = count
  }

  /// Whether one generator makes the whole run.
  public var isWhole: Bool { count == 1 }

  /// Whether the thing at this place, from 0, belongs to this shard.
  func owns(_ place: Int) -> Bool { place % count == index }

  /// The shard that this one is of what comes after `number` things, as all of them together are divided.
  func after(_ number: Int) -> Shard {
    Shard(unchecked: (index + count - number % count) % count, of: count)
  }

  /// How many of `number` things belong to this shard.
  public func share(of number: Int) -> Int { number > index ? (number - 1 - index) / count + 1 : 0 }

  /// The number, from 1, that this shard's own thing at `place`, from 0, has in the whole run.
  public func number(at place: Int) -> Int { index + place * count + 1 }
}
