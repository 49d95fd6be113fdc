/// The uids that users' programs run under: each user has one of them, so that the system keeps users apart.
public struct UserIDRange: Sendable, Equatable {
  /// The first and the last uid; neither is root's.
  public let bounds: ClosedRange<UInt32>

  /// The largest uid: 2³² − 1 and 2³² − 2 have meanings of their own (setresuid(2), user_namespaces(7)).
  private static let largest: UInt32 = .max - 2

  /// What a range looks like, for messages.
  public static let rule = "a range of uids such as 10000-19999, without root's"

  /// Reads `10000-19999`; nil for anything else.
  public init?(_ text: String) {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { part in
      part.allSatisfy { ("0"..."9").contains($0) } ? UInt32(part) : nil
    }
    guard ends.count == 2, let first = ends[0], let last = ends[1], first >= 1, first <= last, last <= Self.largest
    else { return nil }
    bounds = first...last
  }

  /// The range as ``init(_:)`` reads it.
  public var text: String { "\(bounds.lowerBound)-\(bounds.upperBound)" }

  /// Whether a user's program may run under `uid`.
  public func contains(_ uid: UInt32) -> Bool { bounds.contains(uid) }
}
