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
  ///   - owned: the uids that own directories of the workspace, in any environment. A directory may be left from a gateway
  ///     before this one. Called for a new user only.
  mutating func id(
    of user: String, owner: @autoclosure () -> UInt32?, owned: () -> Set<UInt32>
  ) -> UInt32? {
    if let id = ids[user] { return id }
    let owner = owner()
    if let owner, range.contains(owner) {
      guard taken.insert(owner).inserted else { return nil }
      ids[user] = owner
      return owner
    }
    let owned = owned()
    while next <= UInt64(range.bounds.upperBound) {
      let candidate = UInt32(next)
      next += 1
      guard !owned.contains(candidate), taken.insert(candidate).inserted else { continue }
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

  /// The owners of all users' directories below the workspace's root, in all environments.
  static func owners(below root: String) -> Set<UInt32> {
    var owners: Set<UInt32> = []
    for environment in names(in: root) {
      for user in names(in: "\(root)/\(environment)") {
        if let owner = owner(of: "\(root)/\(environment)/\(user)") { owners.insert(owner) }
      }
    }
    return owners
  }

  private static func names(in path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
