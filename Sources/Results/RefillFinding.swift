package import Latency
import TextFormatting

/// When a drained pool was full again, as a result's findings say it in words: the text, and the times read back from it.
///
/// A report is made from the document alone, which holds the sentence. So the sentence is written and read in one place.
package enum RefillFinding {
  /// The finding of the time within which the pool was full again.
  package static let full = "refill_full"
  /// The finding of the end of the drain.
  package static let start = "t0"

  /// `22.310–22.820 s (resolution 0.510 s)`: between which lengths after the end of the drain; `before t0` where the pool was
  /// full again before the drain had ended.
  package static func text(from earliest: Nanoseconds, to latest: Nanoseconds) -> String {
    guard latest > .zero else { return "before t0" }
    return "\(seconds(earliest))–\(seconds(latest)) s (resolution \(seconds(latest - earliest)) s)"
  }

  /// `1.250 s into the timeline`
  package static func text(ofStart start: Nanoseconds) -> String { "\(seconds(start)) s into the timeline" }

  /// A length in seconds with three decimal places.
  package static func seconds(_ length: Nanoseconds) -> String { NumberText.decimals(length.seconds, 3) }

  /// One drain of a result's findings, in seconds on the timeline.
  package struct Cycle: Sendable, Equatable {
    /// The end of the drain, t₀.
    package var drained: Double
    /// From the last poll that saw the pool not full to the first that saw it full; nil where none was seen.
    package var refilled: ClosedRange<Double>?

    /// Nil where `facts` name no end of a drain.
    package init?(_ facts: [String: JSONValue]) {
      guard case .string(let text)? = facts[RefillFinding.start],
        let drained = RefillFinding.numbers(in: text).first
      else { return nil }
      self.drained = drained
      guard case .string(let refill)? = facts[RefillFinding.full],
        case let bounds = RefillFinding.numbers(in: refill), bounds.count >= 2, bounds[0] <= bounds[1]
      else { return }
      refilled = drained + bounds[0]...drained + bounds[1]
    }
  }

  /// The numbers before the unit. A file may hold anything: what no run can have is left out.
  private static func numbers(in text: String) -> [Double] {
    text.prefix { $0 != " " }.split(separator: "–").compactMap { Double($0) }
      .filter { $0.isFinite && $0 >= 0 && $0 < 1e7 }
  }
}
