// Stands in for the user's program: it writes one line when it is ready, and then echoes every line of its input,
// numbered.
//
//   $ printf 'hello\nworld\n' | session-stand-in
//   session-stand-in ready
//   1 hello
//   2 world
//
// With `--chunks` it answers as an agent of the product does, in JSON lines (see Answers.swift):
//
//   $ printf '{"type":"message","message":"hello"}\n' | session-stand-in --chunks 2 --chunk-delay 20ms
//   session-stand-in ready
//   {"type":"text_delta","text":"1 hello"}
//   {"type":"text_delta","text":" (2 of 2)"}
//   {"type":"finish","reason":"end_turn","usage":{"input_tokens":2,"output_tokens":2}}
//
// With `--verbs` lines that begin with `~` and a number are requests to files and processes (see Verbs.swift):
//
//   $ printf '~1 whoami\n' | session-stand-in --verbs
//   session-stand-in ready
//   ~1 ok uid=1000 gid=1000 pid=4711 cwd=/home/user
//
// It ends at the end of its input. `--startup-delay 250ms` (ms or s) makes it sleep before the first line, as a program
// with a slow start would. It uses Glibc alone, so that its own start adds little to the measurement.
import Glibc

func microseconds(_ text: String) -> UInt32? {
  for (unit, factor) in [("ms", 1e3), ("s", 1e6)] where text.hasSuffix(unit) {
    if let value = Double(text.dropLast(unit.utf8.count)), (0...3600e6).contains(value * factor) {
      return UInt32(value * factor)
    }
  }
  return nil
}

func say(_ bytes: some Collection<UInt8>, to descriptor: Int32 = STDOUT_FILENO) {
  var rest = Array(bytes)[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count < 0 && errno != EINTR { exit(0) }  // nobody listens any more
    rest = rest.dropFirst(max(0, count))
  }
}

func refuse() -> Never {
  say(
    """
    usage: session-stand-in [--startup-delay 250ms] [--chunks 5 [--chunk-delay 20ms] [--ask-every 3]]
                            [--verbs]

    """.utf8, to: STDERR_FILENO)
  exit(64)
}

var startupDelay: UInt32 = 0
var answers: Answers?
var takesVerbs = false
var arguments = CommandLine.arguments.dropFirst()
while let name = arguments.popFirst() {
  if name == "--verbs", !takesVerbs {
    takesVerbs = true
    continue
  }
  guard let text = arguments.popFirst() else { refuse() }
  switch (name, microseconds(text), Int(text)) {
  case ("--startup-delay", let delay?, _): startupDelay = delay
  case ("--chunks", _, let count?) where (1...100_000).contains(count):
    guard answers == nil else { refuse() }
    answers = Answers(chunks: count)
  case ("--chunk-delay", let delay?, _) where answers != nil:
    answers?.chunkDelay = UInt64(delay) * 1000
  case ("--ask-every", _, let count?) where answers != nil && count >= 0:
    answers?.askEvery = count
  default: refuse()
  }
}
// `--startup-delay` simulates the start of a real program.
if startupDelay > 0 { usleep(startupDelay) }

say("session-stand-in ready\n".utf8)
if var answers {
  answers.takesVerbs = takesVerbs
  answers.serve()
} else {
  var sequence = 0
  // The echo includes the line's end; the last line may have none.
  while let line = readLine(strippingNewline: false) {
    sequence += 1
    if takesVerbs, let answer = Verbs.answer(line.utf8.prefix { $0 != UInt8(ascii: "\n") }) {
      say("\(answer)\n".utf8)
    } else {
      say("\(sequence) \(line)".utf8)
    }
  }
}
