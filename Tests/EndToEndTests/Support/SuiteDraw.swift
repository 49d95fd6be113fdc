import Glibc
import TestSupport
import Testing

/// When and how a run of the suite is signalled, as it is drawn from a seed. Pure.
struct SuiteDraw: Sendable, CustomTestStringConvertible {
  enum Receiver: Sendable {
    /// bench-suite alone, as `kill` does it.
    case suite
    /// The tool that runs at that moment, alone.
    case tool
    /// The suite's process group, as terminals and CI runners do it.
    case group
    /// The suite, and then its group again at once.
    case doubled
    /// The suite and everything below it, as service managers do it.
    case everyProcess
    /// The suite is started by the program `timeout`, which sends the signal.
    case timeout

    /// Those to which a test sends it.
    static let all: [Receiver] = [.suite, .tool, .group, .doubled, .everyProcess]
  }

  let number: Int
  let seed: UInt64
  let signal: Int32
  let receiver: Receiver
  /// When it comes, as a part of what a run takes: in thousandths, from the start.
  let part: Int
  /// Whether the suite is pointed at a gateway that outlives it.
  let isRemote: Bool

  /// SIGTERM by the program `timeout`, at other moments.
  static func timeouts(_ count: Int, seed: UInt64) -> [SuiteDraw] {
    draws(count, seed: seed &+ 1_000_003).map { draw in
      SuiteDraw(
        number: draw.number, seed: seed, signal: SIGTERM, receiver: .timeout, part: draw.part, isRemote: draw.isRemote)
    }
  }

  static func draws(_ count: Int, seed: UInt64) -> [SuiteDraw] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { number in
      SuiteDraw(
        number: number, seed: seed,
        signal: [SIGTERM, SIGTERM, SIGINT, SIGHUP, SIGQUIT].randomElement(using: &random) ?? SIGTERM,
        receiver: Receiver.all[number % Receiver.all.count],
        part: Int.random(in: 0..<1000, using: &random), isRemote: Bool.random(using: &random))
    }
  }

  /// From the start, where a run takes `length`.
  func moment(of length: Duration) -> Duration { length * part / 1000 }

  /// The words before bench-suite's path. With `--preserve-status` the status is the suite's, and not 124.
  func launcher(_ moment: Duration) -> [String] {
    // A moment of 0 is none to `timeout`.
    let milliseconds = max(1, Int(moment / .milliseconds(1)))
    let seconds = "\(milliseconds / 1000).\(String(1000 + milliseconds % 1000).dropFirst())"
    return receiver == .timeout ? ["timeout", "--preserve-status", "-s", "TERM", seconds] : []
  }

  var testDescription: String {
    "seed \(seed), \(number): signal \(signal) to the \(receiver) after \(part)/1000 of a run"
      + (isRemote ? ", a gateway of its own" : "")
  }
}
