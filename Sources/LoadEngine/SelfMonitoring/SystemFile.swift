import Glibc

/// Small files of procfs and sysfs.
enum SystemFile {
  /// The first `limit` bytes at most; nil where the file cannot be opened.
  static func read(_ path: String, limit: Int = 4096) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    return withUnsafeTemporaryAllocation(byteCount: limit, alignment: 1) { buffer in
      let count = Glibc.read(file, buffer.baseAddress, buffer.count)
      return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
  }
}
