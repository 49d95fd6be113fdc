internal import CWorkspace
internal import Glibc

/// An open directory. Everything in a workspace is reached through one, a single name at a time, so that no symbolic link
/// planted below the root and no `..` can lead anywhere else. Closed when it goes out of scope.
struct DirectoryDescriptor: ~Copyable {
  let number: Int32

  /// The root itself is the operator's word: links in its path are followed.
  init(root path: String) throws(WorkspaceError) {
    number = try systemCall("open", on: path) { open(path, workspace_o_path | O_DIRECTORY | O_CLOEXEC) }
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
}
