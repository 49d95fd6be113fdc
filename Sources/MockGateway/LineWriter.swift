import NIOPosix
import ProcessControl
import Synchronization

/// Writes lines to a file, a terminal or a pipe on a thread of its own, so that a slow reader never stops whoever writes: what
/// is beyond the bound is dropped, whole lines only, and counted.
final class LineWriter: Sendable {
  private struct State {
    var waiting: [UInt8] = []
    var dropped = 0
    var isWriting = false
  }

  private let descriptor: Int32
  private let maximumWaiting: Int
  private let state = Mutex(State())
  private let thread = NIOThreadPool(numberOfThreads: 1)

  /// - Parameter maximumWaiting: In bytes.
  init(to descriptor: Int32, maximumWaiting: Int = 4 << 20) {
    self.descriptor = descriptor
    self.maximumWaiting = maximumWaiting
    thread.start()
  }

  /// How many lines were lost.
  var dropped: Int { state.withLock { $0.dropped } }

  /// Takes `line`, which has no end yet, and returns at once.
  func write(_ line: String) {
    let mustStart = state.withLock { state in
      guard state.waiting.count + line.utf8.count < maximumWaiting else {
        state.dropped += 1
        return false
      }
      state.waiting += line.utf8
      state.waiting.append(UInt8(ascii: "\n"))
      defer { state.isWriting = true }
      return !state.isWriting
    }
    if mustStart { thread.submit { _ in self.writeAll() } }
  }

  /// Waits until all is written, a second at most: the reader may be gone or asleep.
  func flush() async {
    for _ in 0..<200 {
      if state.withLock({ !$0.isWriting }) { return }
      try? await Task.sleep(for: .milliseconds(5))
    }
  }

  private func writeAll() {
    while let bytes = next() { WholeWrite.write(bytes, to: descriptor) }
  }

  private func next() -> [UInt8]? {
    state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.isWriting = false
        return nil
      }
      defer { state.waiting = [] }
      return state.waiting
    }
  }
}
