/// Failures by kind, each with its first example. Bounded: a target cannot make it grow.
public struct ErrorTally: Sendable, Equatable {
  /// One kind of failure.
  public struct Entry: Sendable, Equatable {
    /// A short name such as `http_503` or `timeout`.
    public var kind: String
    /// How often it occurred.
    public var count: UInt64
    /// The message of the first failure of this kind, at most ``ErrorTally/exampleLimit`` Unicode scalars.
    public var example: String
  }

  /// Kinds in the order of their first appearance.
  public private(set) var entries: [Entry] = []

  /// The longest example, in Unicode scalars, because a Character has no bounded length.
  public static let exampleLimit = 300
  /// The most kinds that are kept apart; later ones count as `other`.
  public static let kindLimit = 50

  /// Makes an empty tally.
  public init() {}

  /// The number of all failures.
  public var total: UInt64 { entries.reduce(0) { $0 + $1.count } }

  /// The number of failures of `kind`.
  public func count(of kind: String) -> UInt64 { entries.first { $0.kind == kind }?.count ?? 0 }

  mutating func add(kind: String, example: String, count: UInt64 = 1) {
    if let index = entries.firstIndex(where: { $0.kind == kind }) {
      entries[index].count += count
    } else if entries.count < Self.kindLimit || kind == "other" {
      entries.append(Entry(kind: kind, count: count, example: String(example.unicodeScalars.prefix(Self.exampleLimit))))
    } else {
      add(kind: "other", example: "\(kind): \(example)", count: count)
    }
  }

  mutating func merge(_ other: ErrorTally) {
    for entry in other.entries { add(kind: entry.kind, example: entry.example, count: entry.count) }
  }
}
