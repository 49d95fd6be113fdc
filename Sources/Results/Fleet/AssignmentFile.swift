import Glibc
package import Latency
import TextFormatting

/// The file beside a shard's result that says which task was whose, and when: a line `task`, `from` and `to`, separated
/// by tabs, for each assignment.
///
/// `from` and `to` are ns after the instant at which all shards began, by the shard's own clock: when the answer that
/// named the task had been read, and when its release was sent. `to` is empty for a task that was not released. So a
/// task was certainly this shard's within them, and two shards that had it at one time were both given it.
package enum AssignmentFile {
  /// What follows the stem of the result's name.
  package static let suffix = ".assignments.tsv"
  package static let header = "task\tfrom\tto"

  /// The path of the file that belongs to the result at `path`.
  package static func path(besides path: String) -> String {
    (path.hasSuffix(".json") ? String(path.dropLast(5)) : path) + suffix
  }

  /// One assignment.
  package struct Line: Sendable, Equatable {
    package var task: String
    package var from: Nanoseconds
    /// Nil: it was not released.
    package var to: Nanoseconds?

    package init(task: String, from: Nanoseconds, to: Nanoseconds?) {
      (self.task, self.from, self.to) = (task, from, to)
    }
  }

  /// The file's text. A task's name loses tabs and line ends.
  package static func text(_ lines: some Sequence<Line>) -> String {
    var text = header + "\n"
    for line in lines {
      let isPlain = line.task.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
      text += isPlain ? line.task : PlainText.line(line.task)
      text += "\t\(line.from.nanoseconds)\t\(line.to.map { "\($0.nanoseconds)" } ?? "")\n"
    }
    return text
  }

  /// Calls `body` with each line of a file; false where one has another form. The task is given as bytes.
  ///
  /// Line by line in place: a hundred files of a million lines are many gigabytes as strings.
  static func forEach(
    in bytes: [UInt8], _ body: (_ task: UnsafeBufferPointer<UInt8>, _ from: UInt64, _ to: UInt64) -> Void
  ) -> Bool {
    let first = Array(header.utf8) + [10]
    guard bytes.starts(with: first) else { return false }
    return bytes.withUnsafeBufferPointer { bytes in
      var place = first.count
      while place < bytes.count {
        var tabs = (-1, -1)
        var end = place
        while end < bytes.count, bytes[end] != 10 {
          if bytes[end] == 9 {
            guard tabs.1 < 0 else { return false }
            tabs = tabs.0 < 0 ? (end, -1) : (tabs.0, end)
          }
          end += 1
        }
        guard tabs.1 > 0, tabs.0 > place, let from = number(bytes, tabs.0 + 1, tabs.1) else { return false }
        guard let to = tabs.1 + 1 == end ? UInt64.max : number(bytes, tabs.1 + 1, end) else { return false }
        body(UnsafeBufferPointer(rebasing: bytes[place..<tabs.0]), from, to)
        place = end + 1
      }
      return true
    }
  }

  private static func number(_ bytes: UnsafeBufferPointer<UInt8>, _ begin: Int, _ end: Int) -> UInt64? {
    guard end > begin, end - begin <= 19 else { return nil }
    var number: UInt64 = 0
    for place in begin..<end {
      guard (0x30...0x39).contains(bytes[place]) else { return nil }
      number = number * 10 + UInt64(bytes[place] - 0x30)
    }
    return number
  }
}

/// Finds tasks that users of two shards had at one time. No shard can see that by itself.
struct AssignmentsAcross {
  /// Assignments that began while another shard had the task.
  private(set) var duplicates: UInt64 = 0
  /// Files that can't be read, by the shard and why.
  private(set) var unreadable: [(shard: Int, reason: String)] = []

  private struct Span {
    var task: UInt64
    var from: UInt64
    var to: UInt64
    var shard: Int32
  }

  /// The spans of this many bytes of files are in memory at one time; a part of the tasks is looked at after another.
  private static let bytesAtOnce = 48 << 20

  /// - Parameters:
  ///   - files: The shards' files.
  ///   - uncertainty: How far the clocks of two shards may be apart: spans that overlap by less are not counted.
  init(_ files: [(shard: Int, path: String, offset: Double)], uncertainty: Nanoseconds) {
    let size = files.reduce(0) { $0 + Self.size($1.path) }
    let turns = UInt64(size / Self.bytesAtOnce + 1)
    for turn in 0..<turns {
      var spans: [Span] = []
      for file in files { read(file, turn: turn, of: turns, into: &spans) }
      // By a hash of 64 bits: two of ten million tasks share one with a probability of one in 400,000.
      spans.sort { ($0.task, $0.from) < ($1.task, $1.from) }
      count(spans, uncertainty: uncertainty.nanoseconds)
    }
  }

  private static func size(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }

  private mutating func read(
    _ file: (shard: Int, path: String, offset: Double), turn: UInt64, of turns: UInt64, into spans: inout [Span]
  ) {
    do throws(FileReadError) {
      let bytes = try FileContents(file.path, ordinaryOnly: true, limit: 1 << 30).bytes
      // By the clock that all shards compared theirs with: a clock that is ahead wrote later times.
      let shift = Int64(-file.offset * 1e6)
      let isWhole = AssignmentFile.forEach(in: bytes) { task, from, to in
        let hash = Self.hash(task)
        guard hash % turns == turn else { return }
        spans.append(
          Span(task: hash, from: Self.shifted(from, shift), to: Self.shifted(to, shift), shard: Int32(file.shard)))
      }
      if !isWhole { throw .notOrdinary }
    } catch {
      if turn == 0 {
        let reason = error == .notOrdinary ? "is no list of assignments" : "\(error)"
        unreadable.append((file.shard, reason))
      }
    }
  }

  private static func shifted(_ time: UInt64, _ shift: Int64) -> UInt64 {
    guard time != .max else { return .max }
    return UInt64(clamping: Int64(clamping: time).addingReportingOverflow(shift).partialValue)
  }

  /// FNV-1a, and a finishing step that spreads the last byte.
  private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    hash ^= hash >> 32
    return hash &* 0x9e37_79b9_7f4a_7c15
  }

  /// For each task, the end of the latest span of each of two shards tells whether another shard still has it.
  private mutating func count(_ spans: [Span], uncertainty: UInt64) {
    var task: UInt64?
    var (last, other): (Span?, Span?)
    for span in spans {
      if span.task != task { (task, last, other) = (span.task, nil, nil) }
      let held = [last, other].compactMap(\.self).contains { earlier in
        earlier.shard != span.shard && earlier.to > span.from && earlier.to - span.from > uncertainty
          && span.to > span.from && span.to - span.from > uncertainty
      }
      if held { duplicates += 1 }
      if let held = last, held.shard != span.shard {
        var longest = span
        if let own = other, own.shard == span.shard { longest.to = max(span.to, own.to) }
        if held.to >= other?.to ?? 0 || other?.shard == span.shard { other = held }
        last = longest
      } else {
        var longest = span
        longest.to = max(span.to, last?.to ?? 0)
        last = longest
      }
    }
  }
}
