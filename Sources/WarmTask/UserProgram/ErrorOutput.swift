import Glibc
import NIOCore
import NIOPosix

/// A user's program's standard error goes to the agent's own, line by line, each cut at a bound.
enum ErrorOutput {
  static let maximumLineLength = 4096
  /// Writing to a terminal or a full pipe blocks: never on an event loop.
  private static let writer: NIOThreadPool = {
    let pool = NIOThreadPool(numberOfThreads: 1)
    pool.start()
    return pool
  }()

  /// The next lines are read when these have been written.
  static func reader(on channel: any Channel) -> LineReader {
    LineReader(maximumLength: maximumLineLength) { lines, _ in
      let text = lines.map { $0.text + "\n" }.joined()
      writer.submit { state in
        guard case .active = state else { return }
        write(text)
        channel.eventLoop.execute { channel.read() }
      }
    }
  }

  private static func write(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
      guard count > 0 || errno == EINTR else { return }
      rest = rest.dropFirst(max(0, count))
    }
  }
}
