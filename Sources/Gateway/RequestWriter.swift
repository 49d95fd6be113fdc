import NIOCore

/// Memory for the bytes of one request at a time.
protocol RequestMemory {
  /// Replaces the content by what `write` writes, at most `capacity` bytes.
  mutating func replace(atMost capacity: Int, _ write: (inout RequestWriter) -> Void)
}

/// Writes parts of a request one after another into memory that has room for them.
struct RequestWriter {
  private let place: UnsafeMutableRawPointer
  private(set) var count = 0

  init(at place: UnsafeMutableRawPointer) {
    self.place = place
  }

  mutating func write(_ bytes: UnsafeRawBufferPointer) {
    guard let from = bytes.baseAddress else { return }
    (place + count).copyMemory(from: from, byteCount: bytes.count)
    count += bytes.count
  }

  mutating func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }

  mutating func write(_ text: StaticString) {
    write(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  mutating func write(_ text: String) {
    let isWritten: Void? = text.utf8.withContiguousStorageIfAvailable { write(UnsafeRawBufferPointer($0)) }
    if isWritten == nil { write(Array(text.utf8)) }
  }

  mutating func write(_ task: TaskID) { count += task.write(to: place + count) }

  /// Writes `number`, 0 or more, in decimal digits.
  mutating func write(decimal number: Int) {
    var power = 1
    while power <= number / 10 { power *= 10 }
    while power > 0 {
      let digit = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / power % 10)
      place.storeBytes(of: digit, toByteOffset: count, as: UInt8.self)
      count += 1
      power /= 10
    }
  }
}

extension ByteBuffer: RequestMemory {
  mutating func replace(atMost capacity: Int, _ write: (inout RequestWriter) -> Void) {
    clear(minimumCapacity: capacity)
    writeWithUnsafeMutableBytes(minimumWritableBytes: capacity) { room in
      guard let place = room.baseAddress else { return 0 }
      var writer = RequestWriter(at: place)
      write(&writer)
      return writer.count
    }
  }
}

/// The memory of a loop in which all its users put their requests together, as the socket takes the bytes at once.
struct LoopRequest: RequestMemory {
  private let memory: UnsafeMutableRawBufferPointer
  private var count: Int?

  init(_ memory: UnsafeMutableRawBufferPointer) {
    self.memory = memory
  }

  /// The request; nil where it is too long for the memory.
  var bytes: UnsafeRawBufferPointer? { count.map { UnsafeRawBufferPointer(rebasing: memory[..<$0]) } }

  mutating func replace(atMost capacity: Int, _ write: (inout RequestWriter) -> Void) {
    count = nil
    guard capacity <= memory.count, let place = memory.baseAddress else { return }
    var writer = RequestWriter(at: place)
    write(&writer)
    count = writer.count
  }
}
