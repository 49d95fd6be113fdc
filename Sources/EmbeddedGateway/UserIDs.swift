import Glibc
import WarmTask

/// Which user has which uid, in a gateway that gives each user a uid of the user's own. Pure.
///
/// A user keeps the uid for the life of the gateway. Where the user's directory is there from before, its owner's uid is
/// the user's, so that the user's files stay the user's.
struct UserIDs {
  private let range: UserIDRange
  private var ids: [String: UInt32] = [:]
  private var taken: Set<UInt32> = []
  /// Below it all uids of the range are taken.
  private var next: UInt64

  init(_ range: UserIDRange) {
    self.range = range
    next = UInt64(range.bounds.lowerBound)
  }

  /// The uid of `user`; nil where all uids of the range are taken, or the directory is another user's.
  ///
  /// - Parameters:
  ///   - owner: the owner of the user's directory; nil: there is none yet.
  ///   - isOwned: whether a directory of the workspace is owned by this uid. A directory may be left from a gateway
  ///     before this one.
  mutating func id(of user: String, owner: UInt32?, isOwned: (UInt32) -> Bool) -> UInt32? {
    if let id = ids[user] { return id }
    if let owner, range.contains(owner) {
      guard taken.insert(owner).inserted else { return nil }
      ids[user] = owner
      return owner
    }
    while next <= UInt64(range.bounds.upperBound) {
      let candidate = UInt32(next)
      next += 1
      guard !isOwned(candidate), taken.insert(candidate).inserted else { continue }
      ids[user] = candidate
      return candidate
    }
    return nil
  }

  /// The owner of the directory at `path`; nil where there is none.
  static func owner(of path: String) -> UInt32? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_uid : nil
  }

  /// The owners of all entries of the directory at `path`.
  static func owners(in path: String) -> Set<UInt32> {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var owners: Set<UInt32> = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
      }
      if name != ".", name != "..", let owner = owner(of: "\(path)/\(name)") { owners.insert(owner) }
    }
    return owners
  }
}
