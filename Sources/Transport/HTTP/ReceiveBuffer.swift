import NIOCore

/// The size of a connection's receive buffer: small, as most answers are and connections are many, and doubled whenever
/// a read has filled it.
///
/// NIO's own adaptive one starts at 2 KiB, and costs an allocation of its own per connection.
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
