import NIOCore

/// The size of a connection's receive buffer. It begins small, because most answers are small and connections are many,
/// and doubles when a read has filled it.
///
/// NIO's adaptive allocator starts at 2 KiB and costs an allocation of its own per connection.
struct ReceiveBuffer: RecvByteBufferAllocator {
  private var size: Int32 = 512

  private static let largest: Int32 = 64 << 10

  func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: Int(size)) }

  func nextBufferSize() -> Int? { Int(size) }

  mutating func record(actualReadBytes: Int) -> Bool {
    guard actualReadBytes >= Int(size), size < Self.largest else { return false }
    size *= 2
    return true
  }
}
