/// A file with what the system knows it by, whatever path leads to it.
package struct StoredFile: Sendable, Equatable {
  struct Identity: Sendable, Hashable {
    var device: UInt
    var inode: UInt
  }

  package var path: String
  var identity: Identity
}
