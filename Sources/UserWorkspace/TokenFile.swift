import Glibc

/// Writes a token under a temporary name and then renames it, so that no reader sees an incomplete token.
enum TokenFile {
  /// Creates `temporary` (which must not exist), mode 0600, with all of `token`; the caller closes the descriptor.
  @inline(__always)
  static func write(
    _ token: [UInt8], as temporary: UnsafePointer<CChar>, in directory: borrowing DirectoryDescriptor,
    mask: Umask
  ) throws(WorkspaceError) -> Int32 {
    let parent = directory.number
    let file = try systemCall("openat", on: temporary) {
      openat(parent, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, WorkspaceLayout.tokenMode)
    }
    do throws(WorkspaceError) {
      if mask.spoils(WorkspaceLayout.tokenMode) {
        try systemCall("fchmod", on: temporary) { fchmod(file, WorkspaceLayout.tokenMode) }
      }
      var written = 0
      while written < token.count {
        written += try systemCall("write", on: temporary) {
          token.withUnsafeBytes { Glibc.write(file, $0.baseAddress.map { $0 + written }, $0.count - written) }
        }
      }
      return file
    } catch {
      close(file)
      unlinkat(parent, temporary, 0)
      throw error
    }
  }

  /// Gives the file to another user; must come before the rename.
  static func give(
    _ file: Int32, _ temporary: UnsafePointer<CChar>, to owner: UInt32, in directory: borrowing DirectoryDescriptor
  ) throws(WorkspaceError) {
    do throws(WorkspaceError) {
      try systemCall("fchown", on: temporary) { fchown(file, owner, owner) }
    } catch {
      close(file)
      unlinkat(directory.number, temporary, 0)
      throw error
    }
  }

  /// Renames the finished file to its final name, in place of any earlier token. A symbolic link there is replaced, not
  /// followed.
  @inline(__always)
  static func publish(
    _ temporary: UnsafePointer<CChar>, as name: UnsafePointer<CChar>, in directory: borrowing DirectoryDescriptor
  ) throws(WorkspaceError) {
    let parent = directory.number
    do throws(WorkspaceError) {
      try systemCall("renameat", on: name) { renameat(parent, temporary, parent, name) }
    } catch {
      unlinkat(parent, temporary, 0)
      throw error
    }
  }

  /// Writes the file's content to stable storage; must come before the rename.
  @inline(__always)
  static func sync(
    _ file: Int32, _ temporary: UnsafePointer<CChar>, in directory: borrowing DirectoryDescriptor
  ) throws(WorkspaceError) {
    do throws(WorkspaceError) {
      try systemCall("fsync", on: temporary) { fsync(file) }
    } catch {
      close(file)
      unlinkat(directory.number, temporary, 0)
      throw error
    }
  }

  /// Closes the written file. The error counts, because file servers may report a failed write only here.
  @inline(__always)
  static func finish(
    _ file: Int32, _ temporary: UnsafePointer<CChar>, in directory: borrowing DirectoryDescriptor
  ) throws(WorkspaceError) {
    // Linux releases the descriptor even when close reports EINTR: never close twice.
    guard close(file) != 0, errno != EINTR else { return }
    let cause = errno
    unlinkat(directory.number, temporary, 0)
    throw WorkspaceError.failed("close", on: String(cString: temporary), cause: cause)
  }
}

/// Reads tokens into one buffer that is allocated once. One reader per thread.
struct TokenReader: ~Copyable {
  private let buffer: UnsafeMutableRawBufferPointer

  init() {
    // The buffer has one byte more than the longest token, so that a longer file is recognised.
    buffer = .allocate(byteCount: WorkspaceLayout.maximumTokenLength + 1, alignment: 16)
  }

  deinit { buffer.deallocate() }

  /// Reads the token in the user's directory that was entered; returns its length in bytes.
  @inline(__always)
  func read(in user: borrowing DirectoryDescriptor) throws(WorkspaceError) -> Int {
    let product = try user.enter(LayoutName.product)
    let name = LayoutName.token
    let parent = product.number
    // Without O_NONBLOCK a planted named pipe would block the reader.
    let file = try systemCall("openat", on: name) {
      openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    }
    defer { close(file) }
    var length = 0
    while length < buffer.count {
      let count = try systemCall("read", on: name) {
        Glibc.read(file, buffer.baseAddress.map { $0 + length }, buffer.count - length)
      }
      if count == 0 { break }
      length += count
    }
    return length
  }

  /// Whether the last `length` bytes read are `token`.
  func holds(_ token: [UInt8], length: Int) -> Bool {
    UnsafeRawBufferPointer(rebasing: buffer[..<length]).elementsEqual(token)
  }
}
