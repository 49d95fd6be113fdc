internal import Glibc

/// Reads tokens into one buffer that is allocated once. One per thread.
struct TokenReader: ~Copyable {
  private let buffer: UnsafeMutableRawBufferPointer

  init() {
    // One byte more than the longest token, so that a longer file shows.
    buffer = .allocate(byteCount: WorkspaceLayout.maximumTokenLength + 1, alignment: 16)
  }

  deinit { buffer.deallocate() }

  /// Reads the token of the user whose directory was entered; its length in bytes.
  @inline(__always)
  func read(in user: borrowing DirectoryDescriptor) throws(WorkspaceError) -> Int {
    let product = try user.enter(LayoutName.product)
    let name = LayoutName.token
    let parent = product.number
    // O_NONBLOCK: a planted named pipe must not hang the reader.
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
