import CWorkspace
import Glibc

/// An open directory. All accesses to a workspace go through one, a single name at a time, so that neither a symbolic
/// link planted below the root nor `..` can lead elsewhere. Closed when it goes out of scope.
struct DirectoryDescriptor: ~Copyable {
  let number: Int32

  /// Opens the root. Links in its path are followed, because the operator chose it.
  init(root path: String, forSync: Bool = false) throws(WorkspaceError) {
    let access = forSync ? O_RDONLY : workspace_o_path
    number = try systemCall("open", on: path) { open(path, access | O_DIRECTORY | O_CLOEXEC) }
  }

  private init(number: Int32) { self.number = number }

  deinit { close(number) }

  /// Enters the directory `name` as `chdir` would, without read permission. With `forSync` it can be given to `fsync`.
  @inline(__always)
  func enter(_ name: UnsafePointer<CChar>, forSync: Bool = false) throws(WorkspaceError) -> DirectoryDescriptor {
    let access = forSync ? O_RDONLY : workspace_o_path
    let entered = try systemCall("openat", on: name) {
      openat(number, name, access | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    }
    return DirectoryDescriptor(number: entered)
  }

  /// Creates the directory `name` with exactly `mode`.
  /// - Throws: kind `alreadyExists` if anything has that name.
  @inline(__always)
  func make(_ name: UnsafePointer<CChar>, mode: mode_t, mask: Umask) throws(WorkspaceError) {
    try systemCall("mkdirat", on: name) { mkdirat(number, name, mode) }
    if mask.spoils(mode) {
      try systemCall("fchmodat", on: name) { fchmodat(number, name, mode, AT_SYMLINK_NOFOLLOW) }
    }
  }

  /// Creates the directory `name` unless it exists; returns whether it was created.
  ///
  /// - Parameter owner: the uid and gid that a new directory is given to; nil: it stays this process'.
  func makeIfMissing(
    _ name: UnsafePointer<CChar>, mode: mode_t, mask: Umask, owner: UInt32? = nil
  ) throws(WorkspaceError) -> Bool {
    do {
      try make(name, mode: mode, mask: mask)
      if let owner { try enter(name, forSync: true).give(to: owner) }
      return true
    } catch  where error.kind == .alreadyExists {
      return false
    }
  }

  /// Gives this process' directory to another user. Only for a directory that was entered with `forSync`.
  ///
  /// The directory is open: where a user has put another entry in its place by now, that one is not given away.
  func give(to owner: UInt32) throws(WorkspaceError) {
    guard try self.owner() == geteuid() else {
      throw WorkspaceError(.permissionDenied, "a new directory was replaced by another user's: nothing was given away")
    }
    try systemCall("fchown", on: "") { fchown(number, owner, owner) }
  }

  /// The uid of the directory's owner.
  func owner() throws(WorkspaceError) -> UInt32 {
    var status = stat()
    try systemCall("fstat", on: "") { fstat(number, &status) }
    return status.st_uid
  }

  /// The device that the directory is on.
  func device() throws(WorkspaceError) -> dev_t {
    var status = stat()
    try systemCall("fstat", on: "") { fstat(number, &status) }
    return status.st_dev
  }

  /// Writes the directory's entries to stable storage. Only for a directory that was entered with `forSync`.
  @inline(__always)
  func sync(_ name: UnsafePointer<CChar>) throws(WorkspaceError) {
    try systemCall("fsync", on: name) { fsync(number) }
  }

  /// Removes the directory (`AT_REMOVEDIR`) or file `name`; a missing one counts as removed.
  @inline(__always)
  func remove(_ name: UnsafePointer<CChar>, flags: Int32 = 0) throws(WorkspaceError) {
    if unlinkat(number, name, flags) == 0 || errno == ENOENT { return }
    throw WorkspaceError.failed(flags == 0 ? "unlinkat" : "rmdir", on: String(cString: name), cause: errno)
  }

  /// The first names in the directory `name`, for the error of a removal that they prevent; empty when it cannot be
  /// listed.
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
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
      }
      if name != ".", name != ".." { found.append(name) }
    }
    return found
  }
}

/// One path component as a C string, built once, so that nothing is allocated between two clock readings.
struct PathComponent: Hashable, Sendable {
  let characters: [CChar]

  /// - Precondition: `name` has no NUL and no slash.
  init(_ name: String) { self.init(bytes: Array(name.utf8)) }

  /// Makes a component from the bytes that the kernel gets, without NUL and slash.
  init(bytes: [UInt8]) { characters = bytes.map(CChar.init(bitPattern:)) + [0] }

  var text: String { String(decoding: characters.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) }
}

/// A path split into the names that lead from a root down to it, checked before any file is touched.
struct PathBelowRoot: Sendable {
  /// The directories between the root and the last name.
  let parents: [PathComponent]
  let last: PathComponent

  /// - Throws: ``WorkspaceError`` of the kind `outsideRoot` when `path` is not spelled below `root` or has `.`, `..` or
  ///   NUL in it.
  init(_ path: String, inside root: String) throws(WorkspaceError) {
    let rootParts = Self.components(root)
    let parts = Self.components(path)
    guard !root.isEmpty, Self.isAbsolute(path) == Self.isAbsolute(root), parts.starts(with: rootParts)
    else { throw Self.outside(path, root) }
    let names = parts.dropFirst(rootParts.count)
    guard let last = names.last, names.allSatisfy(Self.isPlainName) else { throw Self.outside(path, root) }
    self.parents = names.dropLast().map { PathComponent(bytes: $0) }
    self.last = PathComponent(bytes: last)
  }

  /// The components, compared as bytes: Swift's strings treat different spellings of one character as equal, the kernel
  /// does not.
  private static func components(_ path: String) -> [[UInt8]] {
    path.utf8.split(separator: UInt8(ascii: "/")).map(Array.init)
  }

  private static func isAbsolute(_ path: String) -> Bool { path.utf8.first == UInt8(ascii: "/") }

  private static func isPlainName(_ name: [UInt8]) -> Bool {
    name != Array(".".utf8) && name != Array("..".utf8) && !name.contains(0)
  }

  private static func outside(_ path: String, _ root: String) -> WorkspaceError {
    WorkspaceError(
      .outsideRoot,
      "'\(path)' is not a plain path below '\(root)'; give one that starts with the root, without '.' and '..'")
  }
}

/// Whether the umask would remove the owner's bits from a workspace's modes.
///
/// An ordinary umask (022, 077) does not change 0700 and 0600, so the creating call itself sets a directory's mode:
/// there is no moment with another mode, and no second round trip to a file server. Only a umask that removes the
/// owner's bits needs a correction.
struct Umask: Sendable {
  let bits: mode_t

  /// Whether the umask removes bits of `mode`, which must then be set again.
  func spoils(_ mode: mode_t) -> Bool { bits & mode != 0 }

  /// The umask at first use. It is not read with `umask(2)`, which would change it for a moment, for every thread.
  static let ofProcess = current()

  /// The calling thread's umask, from `/proc`. Without `/proc` it counts as one that removes bits, which is always
  /// safe.
  static func current() -> Umask {
    let status = (try? readWholeFile("/proc/thread-self/status")) ?? ""
    for line in status.split(separator: "\n") where line.hasPrefix("Umask:") {
      let digits = line.dropFirst("Umask:".count).filter { $0.isNumber }
      if let bits = mode_t(digits, radix: 8) { return Umask(bits: bits) }
    }
    return Umask(bits: 0o777)
  }
}

/// Runs `body`, again if a signal interrupted it, and throws for its result -1.
@inline(__always)
@discardableResult
func systemCall<Result: SignedInteger>(
  _ call: StaticString, on name: UnsafePointer<CChar>, _ body: () -> Result
) throws(WorkspaceError) -> Result {
  while true {
    let result = body()
    if result >= 0 { return result }
    let cause = errno
    if cause != EINTR { throw WorkspaceError.failed(call, on: String(cString: name), cause: cause) }
  }
}

/// The whole text of one of the kernel's small files, such as those in `/proc`, whose size is not known beforehand.
func readWholeFile(_ path: String) throws(WorkspaceError) -> String {
  let file = try systemCall("open", on: path) { open(path, O_RDONLY | O_CLOEXEC) }
  defer { close(file) }
  var text: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 16_384)
  while true {
    let count = try systemCall("read", on: path) { read(file, &buffer, buffer.count) }
    if count == 0 { return String(decoding: text, as: UTF8.self) }
    text += buffer[..<count]
  }
}
