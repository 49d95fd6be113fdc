import FoundationEssentials
import Glibc

/// A process as `/proc` knows it; its start time tells it from a later one with the same number.
struct ProcessEntry: Hashable, Sendable {
  var pid: Int32
  var parent: Int32
  var startTime: String
  /// The program's path, by its command line.
  var program: String

  /// nil when there is no such process, or only its zombie.
  init?(pid: Int32) {
    guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat"),
      let words = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline")?.split(separator: 0), !words.isEmpty
    else { return nil }
    // proc(5): the name in parentheses may hold anything; state and parent follow it, field 22 is the start time.
    let fields = String(decoding: data, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 19, fields[0] != "Z", let parent = Int32(fields[1]) else { return nil }
    self.pid = pid
    self.parent = parent
    startTime = String(fields[19])
    program = String(decoding: words[0], as: UTF8.self)
  }

  var isAlive: Bool { ProcessEntry(pid: pid)?.startTime == startTime }

  /// Whether it ignores a signal: proc_pid_status(5), SigIgn.
  func ignores(_ signal: Int32) -> Bool {
    let status = String(decoding: FileManager.default.contents(atPath: "/proc/\(pid)/status") ?? Data(), as: UTF8.self)
    let line = status.split(separator: "\n").first { $0.hasPrefix("SigIgn:") }
    return line.flatMap { UInt64($0.suffix(16), radix: 16) }.map { $0 >> UInt64(signal - 1) & 1 == 1 } ?? false
  }

  var name: Substring { program.split(separator: "/").last ?? "" }

  /// All processes below `root`, children of children too.
  static func descendants(of root: Int32) -> Set<ProcessEntry> {
    let all = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [])
      .compactMap { Int32($0) }.compactMap { ProcessEntry(pid: $0) }
    var found: Set<ProcessEntry> = []
    var parents: Set<Int32> = [root]
    while !parents.isEmpty {
      let children = all.filter { parents.contains($0.parent) && !found.contains($0) }
      found.formUnion(children)
      parents = Set(children.map(\.pid))
    }
    return found
  }

  /// All that live with the temporary directory of a run in their environment.
  static func started(by scratch: Scratch) -> Set<ProcessEntry> {
    let setting = Array("TMPDIR=\(scratch.path)\0".utf8)
    let all = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
    return Set(
      all.filter { FileManager.default.contents(atPath: "/proc/\($0)/environ")?.contains(setting) ?? false }
        .compactMap { ProcessEntry(pid: $0) })
  }
}
