import Glibc

/// Appends lines to a soak's file, each of which is on the disk when the call returns. Nothing is thrown: a full disk
/// must not end a run of hours.
///
/// A line that can't be written waits, and is tried again with the next one. A part of it that was written is taken
/// back, so that the file has whole lines only. Where it can't be taken back, the next write ends it first: then the next
/// line is not damaged too.
struct SoakFileWriter: ~Copyable {
  private let descriptor: Int32
  /// The size of the whole lines in the file.
  private var size: Int64 = 0
  private var waiting: [String] = []
  /// The bytes behind the whole lines that could not be taken back, and whether they end within a line.
  private var remnant: Int64 = 0
  private var endsWithinLine = false
  /// Whether the file has a part of a line, or a line that may not be on the disk.
  private var isDamaged = false
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
  var isWhole: Bool { waiting.isEmpty && lost == 0 && !isDamaged }

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
    let bytes = Array(((endsWithinLine ? "\n" : "") + line).utf8)
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return takeBack(bytes.prefix(bytes.count - rest.count)) }
      rest = rest.dropFirst(count)
    }
    // Some file systems report a full disk only here.
    let reason: String? = fsync(descriptor) == 0 || errno == EINVAL ? nil : takeBack(bytes[...])
    // A whole line that could not be taken back must not be written a second time.
    if reason != nil, remnant == 0 { return reason }
    if remnant > 0 { isDamaged = true }
    size += reason == nil ? remnant + Int64(bytes.count) : remnant
    (remnant, endsWithinLine) = (0, false)
    return nil
  }

  /// Takes back what was written of a line; returns why it was not written wholly.
  private mutating func takeBack(_ written: ArraySlice<UInt8>) -> String {
    let reason = String(cString: strerror(errno))
    if ftruncate(descriptor, off_t(size)) == 0 {
      (remnant, endsWithinLine) = (0, false)
    } else if let last = written.last {
      remnant += Int64(written.count)
      endsWithinLine = last != UInt8(ascii: "\n")
    }
    return reason
  }
}
