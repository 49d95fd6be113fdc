import Foundation
import TestSupport

/// A program run on a terminal of its own, by Python's `pty`.
enum PseudoTerminal {
  private static let script = """
    import fcntl, os, pty, struct, sys, termios
    columns, directory = int(sys.argv[1]), sys.argv[2]
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.chdir(directory)
        os.execv(sys.argv[3], sys.argv[3:])
    while True:
        try:
            bytes = os.read(terminal, 65536)
        except OSError:
            break
        if not bytes:
            break
        sys.stdout.buffer.write(bytes)
    sys.stdout.flush()
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """

  /// Runs `tool` to its end: its exit status, and every byte that came to the terminal.
  static func run(
    _ tool: String, _ arguments: [String], columns: Int, environment: [String: String]
  ) async throws -> (status: Int32, output: String) {
    let scratch = try Scratch()
    let neutral = ["GATEWAY_URL": "", "GATEWAY_TOKEN": "", "NO_COLOR": "1", "TMPDIR": scratch.path]
    return try await Python.run(
      ["-c", script, "\(columns)", scratch.path, Tool(name: tool).path] + arguments,
      environment: neutral.merging(environment) { $1 })
  }

  /// What a reader sees in the end, without the rows that are empty at the bottom.
  static func screen(after output: String) -> [String] {
    var rows = [[Unicode.Scalar]()]
    var column = 0
    var rest = output.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      switch scalar {
      case "\r": column = 0
      case "\n": rows.append(Array(repeating: " ", count: column))
      case "\u{1b}":
        // Only "erase to the end of the line" is expected; anything else stays visible.
        guard rest.starts(with: "[K".unicodeScalars) else { fallthrough }
        rest = rest.dropFirst(2)
        rows[rows.count - 1].removeSubrange(min(column, rows[rows.count - 1].count)...)
      default:
        if column < rows[rows.count - 1].count {
          rows[rows.count - 1][column] = scalar
        } else {
          rows[rows.count - 1].append(scalar)
        }
        column += 1
      }
    }
    var lines = rows.map { row in String(String.UnicodeScalarView(row)) }
    while lines.last == "" { lines.removeLast() }
    return lines
  }
}
