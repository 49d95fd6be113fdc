import Glibc
import Latency
import ProcessControl
import Results
import TextFormatting

/// Compares this machine's clock with others. Each source says how wrong its answer may be.
enum ClockProbe {
  /// This machine's clock against that of a folder's file system: a file that is touched there has the server's time.
  ///
  /// All shards compare theirs with this one clock, so that their offsets can be compared too. A file's time may be as
  /// old as the last tick of the server's kernel (up to 10 ms). So it is touched until its time changes: the change came
  /// between the touch before and the answer after it.
  static func folder(_ path: String, clock: () -> Int64 = realTime) -> ResultDocument.ClockError? {
    let name = "\(path)/.clock-\(UInt64.random(in: 0 ... .max))"
    let file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { return nil }
    defer {
      close(file)
      unlink(name)
    }
    var bounds = OffsetBounds()
    let begin = clock()
    for _ in 0..<mostTouches where clock() - begin < longest && bounds.changes < enough {
      let before = clock()
      guard futimens(file, nil) == 0 else { return nil }
      var status = stat()
      guard fstat(file, &status) == 0 else { return nil }
      let after = clock()
      bounds.add(
        before: before, time: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec), after)
    }
    return bounds.error
  }

  /// In ns.
  private static let longest: Int64 = 300_000_000
  private static let mostTouches = 100_000
  private static let enough = 12

  /// What chrony says of this machine's clock against UTC; nil where there is no chrony, or it is not synchronised.
  static func chrony() async -> ResultDocument.ClockError? {
    let request = ProcessRequest(executable: "chronyc", arguments: ["-c", "tracking"], standardInput: .null)
    guard
      case .success(let output) = await BoundedProcess.run(request, timeout: .seconds(2), maximumBytes: 1 << 14),
      output.status == .exited(0)
    else { return nil }
    return chrony(String(decoding: output.standardOutput, as: UTF8.self))
  }

  /// The answer of `chronyc -c tracking`: fields separated by commas, of which the 5th is the offset, the 11th the root
  /// delay and the 12th the root dispersion, in s.
  static func chrony(_ output: String) -> ResultDocument.ClockError? {
    let fields = output.split(separator: "\n").first?.split(separator: ",", omittingEmptySubsequences: false) ?? []
    guard fields.count >= 14,
      fields[13] == "Normal" || fields[13].hasPrefix("Insert") || fields[13].hasPrefix("Delete"),
      let offset = Double(fields[4]), let delay = Double(fields[10]), let dispersion = Double(fields[11])
    else { return nil }
    // Chrony is taking the offset back; until then it is a part of the error.
    let error = abs(offset) + dispersion + delay / 2
    return error.isFinite && error < 1e6 ? .init(source: .chrony, offsetMs: 0, errorMs: error * 1e3) : nil
  }

  /// What the kernel says of its clock: the bound that a daemon such as systemd-timesyncd or ntpd keeps; nil where none
  /// does.
  static func kernel() -> ResultDocument.ClockError? {
    SystemClock.errorBound.map { .init(source: .kernel, offsetMs: 0, errorMs: $0.milliseconds) }
  }

  /// This machine's time in ns since 1970.
  static func realTime() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

/// The offset of a clock from another, from readings of both. Pure.
struct OffsetBounds {
  private var last: (before: Int64, time: Int64)?
  private var low = Int64.min
  private var high = Int64.max
  /// How often the other clock has been seen to change.
  private(set) var changes = 0

  /// Takes a reading: the other clock showed `time` between `before` and `after` of this clock. All in ns.
  mutating func add(before: Int64, time: Int64, _ after: Int64) {
    defer { last = (before, time) }
    guard let last, last.time != time else { return }
    changes += 1
    // The other clock came to `time` after the touch before, which still had the old time, and before this answer.
    low = max(low, last.before - time)
    high = min(high, after - time)
  }

  /// The middle of what the readings allow; nil where the other clock was never seen to change.
  var error: ResultDocument.ClockError? {
    guard changes > 0 else { return nil }
    // A step of a clock in between contradicts the earlier readings.
    let (low, high) = (min(low, high), max(low, high))
    return .init(
      source: .folder, offsetMs: (Double(low) + Double(high)) / 2e6, errorMs: (Double(high) - Double(low)) / 2e6)
  }
}
