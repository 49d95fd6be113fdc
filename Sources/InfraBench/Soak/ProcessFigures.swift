import Glibc
import Latency
import ProcessControl
import Results

/// What the system says of a process: `/proc/<pid>/statm`, `stat` and `fd`, proc(5).
struct ProcessFigures: Sendable, Equatable {
  var rssBytes: UInt64
  var descriptors: UInt64
  var threads: UInt64
  /// CPU time of all its threads so far; its resolution is a clock tick, 10 ms.
  var cpuTime: Nanoseconds

  /// Reads the figures of `process`; nil where it has ended, or belongs to somebody else.
  init?(_ process: Int32) {
    let folder = "/proc/\(process)"
    guard let memory = Self.read("\(folder)/statm"), let stat = Self.read("\(folder)/stat"),
      let descriptors = Self.entries(of: "\(folder)/fd")
    else { return nil }
    self.init(
      statm: memory, stat: stat, descriptors: descriptors, pageSize: UInt64(sysconf(Int32(_SC_PAGESIZE))),
      ticksPerSecond: UInt64(sysconf(Int32(_SC_CLK_TCK))))
  }

  /// Reads the figures of this process, after free memory has gone back to the system.
  static func ofThisProcess() -> ProcessFigures? {
    Heap.trim()
    return ProcessFigures(getpid())
  }

  /// Reads the texts of the files; nil where they have another form.
  init?(statm: String, stat: String, descriptors: UInt64, pageSize: UInt64, ticksPerSecond: UInt64) {
    let pages = statm.split(separator: " ")
    // The program's name is in brackets and may hold blanks and brackets. The third field follows the last bracket.
    guard let name = stat.lastIndex(of: ")"), pages.count > 1, let resident = UInt64(pages[1]), ticksPerSecond > 0
    else {
      return nil
    }
    let fields = stat[stat.index(after: name)...].split(separator: " ")
    guard fields.count > 17, let user = UInt64(fields[11]), let system = UInt64(fields[12]),
      let threads = UInt64(fields[17])
    else { return nil }
    rssBytes = resident * pageSize
    self.descriptors = descriptors
    self.threads = threads
    cpuTime = .nanoseconds((user + system) * (1_000_000_000 / ticksPerSecond))
  }

  /// The figures of a minute at whose begin the process had used `before`.
  func minute(since before: ProcessFigures?, length: Nanoseconds) -> SoakMinute.Process? {
    guard let before, length > .zero, cpuTime >= before.cpuTime else { return nil }
    return .init(
      rssBytes: rssBytes, descriptors: descriptors, threads: threads,
      cpu: (cpuTime - before.cpuTime).seconds / length.seconds)
  }

  private static func read(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = Glibc.read(file, &buffer, buffer.count)
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
  }

  /// The number of entries of a folder without `.` and `..`, and without the descriptor that reads it where the folder
  /// is this process's own.
  private static func entries(of folder: String) -> UInt64? {
    guard let stream = opendir(folder) else { return nil }
    defer { closedir(stream) }
    let own = "\(dirfd(stream))"
    let isOwn = folder == "/proc/\(getpid())/fd"
    var count: UInt64 = 0
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name == "." || name == ".." || isOwn && name == own { continue }
      count += 1
    }
    return count
  }
}
