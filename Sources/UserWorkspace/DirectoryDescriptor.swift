internal import CWorkspace
internal import Glibc

/// An open directory. Everything in a workspace is reached through one, a single name at a time, so that no symbolic link
/// planted below the root and no `..` can lead anywhere else. Closed when it goes out of scope.
struct DirectoryDescriptor: ~Copyable {
  let number: Int32

  /// The root itself is the operator's word: links in its path are followed.
  init(root path: String, forSync: Bool = false) throws(WorkspaceError) {
    let access = forSync ? O_RDONLY : workspace_o_path
    number = try systemCall("open", on: path) { open(path, access | O_DIRECTORY | O_CLOEXEC) }
  }

  private init(number: Int32) { self.number = number }

  deinit { close(number) }

  /// Enters the directory `name` as `chdir` would: it needs no read permission. With `forSync` it can be given to `fsync`.
  @inline(__always)
  func enter(_ name: UnsafePointer<CChar>, forSync: Bool = false) throws(WorkspaceError) -> DirectoryDescriptor {
    let access = forSync ? O_RDONLY : workspace_o_path
    let entered = try systemCall("openat", on: name) {
      openat(number, name, access | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    }
    return DirectoryDescriptor(number: entered)
  }

  /// Makes the directory `name` with exactly `mode`.
  /// - Throws: code `alreadyExists` if anything has that name.
  @inline(__always)
  func make(_ name: UnsafePointer<CChar>, mode: mode_t, mask: CreationMask) throws(WorkspaceError) {
    try systemCall("mkdirat", on: name) { mkdirat(number, name, mode) }
    if mask.spoils(mode) {
      try systemCall("fchmodat", on: name) { fchmodat(number, name, mode, AT_SYMLINK_NOFOLLOW) }
    }
  }

  /// Makes the directory `name`, unless it is there; whether it was made.
  func makeIfMissing(_ name: UnsafePointer<CChar>, mode: mode_t, mask: CreationMask) throws(WorkspaceError) -> Bool {
    do {
      try make(name, mode: mode, mask: mask)
      return true
    } catch where error.code == .alreadyExists {
      return false
    }
  }

  /// The device that the directory is on.
  func device() throws(WorkspaceError) -> dev_t {
    var status = stat()
    try systemCall("fstat", on: "") { fstat(number, &status) }
    return status.st_dev
  }

  /// Writes the directory's entries to stable storage; only for a directory that was entered `forSync`.
  @inline(__always)
  func sync(_ name: UnsafePointer<CChar>) throws(WorkspaceError) {
    try systemCall("fsync", on: name) { fsync(number) }
  }

  /// Removes the directory (`AT_REMOVEDIR`) or file `name`; one that is already gone counts as removed.
  @inline(__always)
  func remove(_ name: UnsafePointer<CChar>, flags: Int32 = 0) throws(WorkspaceError) {
    if unlinkat(number, name, flags) == 0 || errno == ENOENT { return }
    throw WorkspaceError.failed(flags == 0 ? "unlinkat" : "rmdir", on: String(cString: name), cause: errno)
  }

  /// The first names in the directory `name`, to say what stands in the way; empty when it can't be listed.
  func someNames(in name: UnsafePointer<CChar>, limit: Int = 5) -> [String] {
    let listed = openat(number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard listed >= 0 else { return [] }
    guard let stream = fdopendir(listed) else {
      close(listed)
      return []
    }
    defer { closedir(stream) }
    var found: [String] = []
    while found.count < limit, let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self)) }
      if name != ".", name != ".." { found.append(name) }
    }
    return found
  }
}
