import Gateway
import Latency
import NIOCore

/// Writes one JSON object (RFC 8259) straight into a buffer, because the frequent answers are small and flat.
struct JSONObject {
  private var buffer: ByteBuffer
  private var isEmpty = true

  init() {
    buffer = ByteBufferAllocator().buffer(capacity: 256)
    buffer.writeInteger(UInt8(ascii: "{"))
  }

  /// The closed object.
  var bytes: ByteBuffer {
    var closed = buffer
    closed.writeInteger(UInt8(ascii: "}"))
    return closed
  }

  /// The closed object.
  var text: String { String(buffer: bytes) }

  /// Adds a text; nothing for `nil`.
  mutating func add(_ key: StaticString, _ value: (some StringProtocol)?) {
    guard let value else { return }
    begin(key)
    buffer.writeString(JSONText.quoted(value))
  }

  mutating func add(_ key: StaticString, _ value: Bool) {
    begin(key)
    buffer.writeStaticString(value ? "true" : "false")
  }

  mutating func add(_ key: StaticString, _ value: Int) {
    begin(key)
    buffer.writeString(String(value))
  }

  /// Adds a length as milliseconds with three decimals; nothing for `nil`.
  mutating func add(_ key: StaticString, milliseconds length: Nanoseconds?) {
    guard let length else { return }
    begin(key)
    let microseconds = length / .microseconds(1)
    buffer.writeString(String(microseconds / 1000))
    let fraction = microseconds % 1000
    buffer.writeStaticString(fraction < 10 ? ".00" : fraction < 100 ? ".0" : ".")
    buffer.writeString(String(fraction))
  }

  /// Adds a number of milliseconds, rounded to three decimals; nothing for `nil` or a number that is not a time.
  mutating func add(_ key: StaticString, milliseconds: Double?) {
    guard let milliseconds, milliseconds >= 0, milliseconds < 1e12 else { return }
    add(key, milliseconds: .milliseconds(milliseconds))
  }

  mutating func add(_ key: StaticString, _ object: JSONObject) {
    begin(key)
    var bytes = object.bytes
    buffer.writeBuffer(&bytes)
  }

  private mutating func begin(_ key: StaticString) {
    buffer.writeStaticString(isEmpty ? "\"" : ",\"")
    isEmpty = false
    buffer.writeStaticString(key)
    buffer.writeStaticString("\":")
  }
}
