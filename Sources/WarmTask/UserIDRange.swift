import Glibc

/// The uids that users' programs run under: each user has one of them, so that the system keeps users apart.
public struct UserIDRange: Sendable, Equatable {
  /// The first and the last uid. A user's group has the same number.
  public let bounds: ClosedRange<UInt32>

  /// The smallest uid: those below are for the system's own users and groups (login.defs(5), SYS_UID_MAX).
  private static let smallest: UInt32 = 1000

  /// The largest uid: 2³² − 1 and 2³² − 2 have meanings of their own (setresuid(2), user_namespaces(7)).
  private static let largest: UInt32 = .max - 2

  /// What a range looks like, for messages.
  public static let rule = "a range of uids from 1000 on, such as 10000-19999"

  /// Reads `10000-19999`; nil for anything else.
  public init?(_ text: String) {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { part in
      part.allSatisfy { ("0"..."9").contains($0) } ? UInt32(part) : nil
    }
    guard ends.count == 2, let first = ends[0], let last = ends[1], first >= Self.smallest, first <= last,
      last <= Self.largest
    else { return nil }
    bounds = first...last
  }

  /// The range as ``init(_:)`` reads it.
  public var text: String { "\(bounds.lowerBound)-\(bounds.upperBound)" }

  /// An account or a group of this system whose number is in the range: a user's program would have its files. nil: the
  /// range is free.
  public var account: String? {
    setpwent()
    defer { endpwent() }
    while let entry = getpwent() {
      if contains(entry.pointee.pw_uid) { return "the user \(String(cString: entry.pointee.pw_name))" }
    }
    setgrent()
    defer { endgrent() }
    while let entry = getgrent() {
      if contains(entry.pointee.gr_gid) { return "the group \(String(cString: entry.pointee.gr_name))" }
    }
    return nil
  }

  /// Why this process cannot give users these uids; nil: it can.
  public var refusal: String? {
    if geteuid() != 0 { return "only root can give each user a uid: run this program as root, or leave it out" }
    return account.map { "\(text) has the number of \($0): choose a range that no account has" }
  }

  /// Whether a user's program may run under `uid`.
  public func contains(_ uid: UInt32) -> Bool { bounds.contains(uid) }
}
