internal import Glibc

/// Whether the umask would take away from the owner what a workspace's modes give.
///
/// An ordinary umask (022, 077) leaves 0700 and 0600 alone, so directories get their mode in the call that makes them, with no
/// moment in between and no second round trip to a file server. Only a umask that takes from the owner costs a correction.
struct CreationMask: Sendable {
  let bits: mode_t

  /// Bits that the umask removes from `mode`, so that it must be set again.
  func spoils(_ mode: mode_t) -> Bool { bits & mode != 0 }

  /// The umask at first use. Reading it with `umask(2)` would change it for a moment, for every thread.
  static let ofProcess = current()

  /// The calling thread's umask, from `/proc`; without `/proc` it counts as hostile, which is always safe.
  static func current() -> CreationMask {
    let status = (try? readWholeFile("/proc/thread-self/status")) ?? ""
    for line in status.split(separator: "\n") where line.hasPrefix("Umask:") {
      let digits = line.dropFirst("Umask:".count).filter { $0.isNumber }
      if let bits = mode_t(digits, radix: 8) { return CreationMask(bits: bits) }
    }
    return CreationMask(bits: 0o777)
  }
}
