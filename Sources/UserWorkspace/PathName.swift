/// One path component as a C string, built once, so that nothing allocates between two clock readings.
struct PathName: Hashable, Sendable {
  let characters: [CChar]

  /// The caller guarantees that `name` has no NUL and no slash.
  init(_ name: String) { self.init(bytes: Array(name.utf8)) }

  /// The same, from the bytes that the kernel will see.
  init(bytes: [UInt8]) { characters = bytes.map(CChar.init(bitPattern:)) + [0] }

  var text: String { String(decoding: characters.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) }
}
