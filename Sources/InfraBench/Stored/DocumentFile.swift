import Glibc

/// A file as it was read, and what the system knows it by, whatever path leads to it.
struct DocumentFile: Sendable {
  struct Identity: Sendable, Hashable {
    var device: UInt
    var inode: UInt
  }

  let path: String
  let identity: Identity
  let bytes: [UInt8]
  /// No result is so large.
  private static let largest = 64 << 20

  /// Reads it in pieces, because a pipe has no size that could be asked for.
  ///
  /// - Throws: Why it can't be read, naming it.
  init(_ path: String) throws(StoredResultError) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw Self.unreadable(path) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw Self.unreadable(path) }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw StoredResultError(path, "is a folder: name the files in it, such as \(path)/*.json")
    }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(file, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Self.unreadable(path) }
      if count == 0 { break }
      bytes += buffer[..<count]
      guard bytes.count <= Self.largest else { throw StoredResultError(path, "is larger than any result") }
    }
    self.path = path
    identity = Identity(device: UInt(status.st_dev), inode: UInt(status.st_ino))
    self.bytes = bytes
  }

  /// The name without folders and `.json`.
  var stem: String {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    return name.hasSuffix(".json") && name.utf8.count > 5 ? String(name.dropLast(5)) : name
  }

  private static func unreadable(_ path: String) -> StoredResultError {
    StoredResultError(path, "can't be read: \(String(cString: strerror(errno)))")
  }
}

/// Why a file is no result that can be shown.
package struct StoredResultError: Error, Sendable, Equatable, CustomStringConvertible {
  package var description: String

  init(_ path: String, _ reason: String) {
    description = "'\(PlainText.line(path))' \(PlainText.line(reason))"
  }
}
