// Stands in for the user's program: one line when it is ready, then every line of its input back, numbered.
//
//   $ printf 'hello\nworld\n' | session-stand-in
//   session-stand-in ready
//   1 hello
//   2 world
//
// It ends at the end of its input. `--startup-delay 250ms` (ms or s) sleeps before the first line, as a program does
// that takes so long to start. Glibc alone, so that its own start is not what is measured.
import Glibc

func milliseconds(_ text: String) -> UInt32? {
  for (unit, factor) in [("ms", 1.0), ("s", 1000.0)] where text.hasSuffix(unit) {
    if let value = Double(text.dropLast(unit.utf8.count)), (0...3600).contains(value * factor / 1000) {
      return UInt32(value * factor)
    }
  }
  return nil
}

func say(_ bytes: some Collection<UInt8>, to descriptor: Int32) {
  var rest = Array(bytes)[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count < 0 && errno != EINTR { exit(0) }  // nobody listens any more
    rest = rest.dropFirst(max(0, count))
  }
}

let arguments = CommandLine.arguments.dropFirst()
switch (arguments.first, arguments.dropFirst().first.flatMap(milliseconds), arguments.count) {
case (nil, _, 0): break
case ("--startup-delay", let delay?, 2): usleep(delay * 1000)
default:
  say("usage: session-stand-in [--startup-delay 250ms]\n".utf8, to: STDERR_FILENO)
  exit(64)
}

say("session-stand-in ready\n".utf8, to: STDOUT_FILENO)
var sequence = 0
// The line's own end is echoed too; a last line without one stays without.
while let line = readLine(strippingNewline: false) {
  sequence += 1
  say("\(sequence) \(line)".utf8, to: STDOUT_FILENO)
}
