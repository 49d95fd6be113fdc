import Glibc

/// Appends lines to a soak's file, each of which is on the disk when the call returns. Nothing is thrown: a full disk
/// must not end a run of hours.
///
/// A line that can't be written waits, and is tried again with the next one. A part of it that was written is taken
/// back, so that the file has whole lines only.
struct SoakFileWriter: ~Copyable {
  private let descriptor: Int32
  /// The size of the whole lines in the file.
  private var size: Int64 = 0
  private var waiting: [String] = []
  /// Lines that were given up, because too many waited.
  private(set) var lost = 0
  /// Why the last write failed; nil where all is written.
  private(set) var failure: String?

  /// The most lines that wait: an hour of minutes.
  private static let mostWaiting = 60

  /// - Parameter descriptor: Of an empty file that is open for appending; it is closed at the end.
  init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Whether every line so far is in the file.
  var isWhole: Bool { waiting.isEmpty && lost == 0 }

  /// Writes what waits, then `line`; the last of them that fails decides ``failure``.
  mutating func append(_ line: String) {
    waiting.append(line)
    if waiting.count > Self.mostWaiting {
      // The first line is the head, without which the others are worthless.
      waiting.remove(at: size == 0 ? 1 : 0)
      lost += 1
    }
    failure = nil
    while let next = waiting.first {
      if let reason = write(next) {
        failure = reason
        return
      }
      waiting.removeFirst()
    }
  }

  /// Writes one line and waits for the disk; returns why that failed.
  private mutating func write(_ line: String) -> String? {
    var rest = Array(line.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return takeBack() }
      rest = rest.dropFirst(count)
    }
    // Some file systems report a full disk only here.
    guard fsync(descriptor) == 0 || errno == EINVAL else { return takeBack() }
    size += Int64(line.utf8.count)
    return nil
  }

  private func takeBack() -> String {
    let reason = String(cString: strerror(errno))
    ftruncate(descriptor, off_t(size))
    return reason
  }
}
