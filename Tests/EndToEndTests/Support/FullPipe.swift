import Glibc
import ProcessControl
import Testing

/// A pipe that takes nothing more, until its reader reads.
struct FullPipe {
  let read: OwnedDescriptor
  let write: OwnedDescriptor
  private let filling: Int

  init() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    read = OwnedDescriptor(ends[0])
    write = OwnedDescriptor(ends[1])
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    let byte = [UInt8](repeating: UInt8(ascii: "."), count: 4096)
    var filled = 0
    for size in [4096, 1] {
      while case let count = Glibc.write(ends[1], byte, size), count > 0 { filled += count }
    }
    _ = fcntl(ends[1], F_SETFL, 0)
    filling = filled
  }

  /// What was written behind the filling, once the writer has closed its end.
  func rest() -> String {
    write.close()
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = Glibc.read(read.descriptor, &buffer, buffer.count), count > 0 {
      bytes += buffer.prefix(count)
    }
    return String(decoding: bytes.dropFirst(filling), as: UTF8.self)
  }
}
