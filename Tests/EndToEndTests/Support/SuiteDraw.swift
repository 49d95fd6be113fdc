import Glibc
import TestSupport
import Testing

/// When and how a run of the suite is signalled, as it is drawn from a seed. Pure.
struct SuiteDraw: Sendable, CustomTestStringConvertible {
  enum Receiver: Sendable, CaseIterable {
    /// bench-suite alone, as service managers and `kill` do it.
    case suite
    /// The tool that runs at that moment, alone.
    case tool
    /// The suite's process group, as terminals and CI runners do it.
    case group
    /// The suite, and then its group again at once: `timeout`.
    case doubled
  }

  let number: Int
  let seed: UInt64
  let signal: Int32
  let receiver: Receiver
  /// In ms from the start.
  let moment: Int
  /// Whether the suite is pointed at a gateway that outlives it.
  let isRemote: Bool

  /// - Parameter length: how long a run usually takes, in ms.
  static func draws(_ count: Int, seed: UInt64, length: Int) -> [SuiteDraw] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { number in
      SuiteDraw(
        number: number, seed: seed,
        signal: [SIGTERM, SIGTERM, SIGINT, SIGHUP].randomElement(using: &random) ?? SIGTERM,
        receiver: Receiver.allCases[number % Receiver.allCases.count],
        moment: Int.random(in: 0..<length, using: &random), isRemote: Bool.random(using: &random))
    }
  }

  var testDescription: String {
    "seed \(seed), \(number): signal \(signal) to the \(receiver) after \(moment) ms\(isRemote ? ", a gateway of its own" : "")"
  }
}
