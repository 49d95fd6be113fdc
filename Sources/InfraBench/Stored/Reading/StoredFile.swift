import Glibc

/// A file with what the system knows it by, whatever path leads to it.
package struct StoredFile: Sendable, Equatable {
  struct Identity: Sendable, Hashable {
    var device: UInt
    var inode: UInt
  }

  package var path: String
  var identity: Identity
}

extension StoredFile.Identity {
  init(_ status: stat) {
    self.init(device: UInt(status.st_dev), inode: UInt(status.st_ino))
  }
}
