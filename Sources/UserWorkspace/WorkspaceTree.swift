import Glibc

/// Removes a whole workspace that this process has made, with whatever users have put into it.
public enum WorkspaceTree {
  /// The deepest nesting that is followed: each level has a file open.
  private static let deepest = 200

  /// Removes the directory at `path` and everything below it; a missing one counts as removed.
  ///
  /// Users' programs may still run, and may put a symbolic link in the place of a directory at any moment. So each
  /// directory is entered by its name from the one above it, which follows no link, and each entry is removed from the
  /// directory that is open: nothing outside of the tree is ever reached. The call blocks.
  ///
  /// - Returns: whether all of it is gone.
  public static func remove(_ path: String) -> Bool {
    let directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard directory >= 0 else { return errno == ENOENT }
    empty(directory, depth: 0)
    return rmdir(path) == 0
  }

  /// Removes all entries of an open directory, and closes it.
  private static func empty(_ directory: Int32, depth: Int) {
    guard let stream = fdopendir(directory) else {
      close(directory)
      return
    }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      // The bytes as they are: a name need not be UTF-8.
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        let characters = UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self)
        return Array(UnsafeBufferPointer(start: characters, count: strlen(characters) + 1))
      }
      let dot = CChar(UInt8(ascii: "."))
      guard name != [dot, 0], name != [dot, dot, 0] else { continue }
      if unlinkat(directory, name, 0) == 0 || depth >= deepest { continue }
      let below = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard below >= 0 else { continue }
      empty(below, depth: depth + 1)
      unlinkat(directory, name, AT_REMOVEDIR)
    }
  }
}
