import Glibc
import TextFormatting

/// The area of a chart between its axes, in the units of its picture.
package struct Plot {
  var width = 720.0
  var height = 360.0
  package var left = 66.0
  var right = 20.0
  package var top = 14.0
  var bottom = 50.0
  package let x: Axis
  let y: Axis

  package init(
    width: Double = 720.0, height: Double = 360.0, left: Double = 66.0, right: Double = 20.0, top: Double = 14.0,
    bottom: Double = 50.0, x: Axis,
    y: Axis
  ) {
    self.width = width
    self.height = height
    self.left = left
    self.right = right
    self.top = top
    self.bottom = bottom
    self.x = x
    self.y = y
  }

  package var innerRight: Double { width - right }
  package var innerBottom: Double { height - bottom }

  package func px(_ value: Double) -> Double { left + x.position(of: value) * (innerRight - left) }
  package func py(_ value: Double) -> Double { innerBottom - y.position(of: value) * (innerBottom - top) }

  /// Horizontal grid lines with their texts at the left.
  package func rows(_ label: (Double) -> String) -> HTML {
    HTML(
      y.ticks.map { tick in
        let y = py(tick)
        return """
          <line class="grid" x1="\(px: left)" x2="\(px: innerRight)" y1="\(px: y)" y2="\(px: y)"/>\
          <text class="end soft" x="\(px: left - 7)" y="\(px: y + 4)">\(label(tick))</text>

          """
      })
  }

  /// Vertical grid lines with their texts below, and the axis' title.
  package func columns(_ title: String, _ ticks: [(value: Double, label: String)]) -> HTML {
    let lines = ticks.map { tick -> HTML in
      let x = px(tick.value)
      return """
        <line class="grid" x1="\(px: x)" x2="\(px: x)" y1="\(px: top)" y2="\(px: innerBottom)"/>\
        <text class="mid soft" x="\(px: x)" y="\(px: innerBottom + 17)">\(tick.label)</text>

        """
    }
    return """
      \(lines)<line class="axis" x1="\(px: left)" x2="\(px: innerRight)" y1="\(px: innerBottom)" y2="\(px: innerBottom)"/>
      <text class="mid soft" x="\(px: (left + innerRight) / 2)" y="\(px: innerBottom + 40)">\(title)</text>

      """
  }

  /// Vertical grid lines of an x axis in seconds.
  func secondColumns(_ title: String) -> HTML {
    columns(title, x.ticks.map { ($0, Ticks.number($0)) })
  }

  /// The whole picture; screen readers read `label`.
  package func picture(_ label: String, _ content: HTML) -> HTML {
    .picture(label, width: width, height: height, content)
  }
}

extension HTML {
  /// An inline SVG picture.
  static func picture(_ label: String, width: Double, height: Double, _ content: HTML) -> HTML {
    """
    <svg class="picture" viewBox="0 0 \(px: width) \(px: height)" role="img" aria-label="\(label)">
    \(content)</svg>

    """
  }

  /// A point with a tooltip.
  package static func dot(_ x: Double, _ y: Double, radius: Double = 4, class name: String, _ title: String) -> HTML {
    "<circle class=\"\(name)\" cx=\"\(px: x)\" cy=\"\(px: y)\" r=\"\(px: radius)\"><title>\(title)</title></circle>\n"
  }

  /// A line through points; empty without points.
  package static func line(_ points: [(x: Double, y: Double)], class name: String) -> HTML {
    guard let first = points.first else { return "" }
    let rest = points.dropFirst().map { "L\(px: $0.x) \(px: $0.y)" as HTML }
    return "<path class=\"\(name)\" d=\"M\(px: first.x) \(px: first.y)\(rest)\"/>\n"
  }
}

/// Maps values to 0…1, linearly or by their logarithm. The result is always finite.
package struct Axis {
  package let lower: Double
  package let upper: Double
  let isLogarithmic: Bool
  package let ticks: [Double]

  /// Makes a linear axis from `lower` to `upper`.
  package init(linear lower: Double, _ upper: Double, ticks count: Int = 6) {
    let lower = lower.isFinite ? lower : 0
    self.lower = lower
    self.upper = upper.isFinite && upper > lower ? upper : max(lower + 1, lower.nextUp)
    isLogarithmic = false
    ticks = Ticks.linear(from: lower, to: self.upper, count: count)
  }

  /// Makes a logarithmic axis. Values that are not positive lie at its lower end.
  init(logarithmic lower: Double, _ upper: Double) {
    let lower = lower.isFinite && lower > 0 ? lower : 1e-6
    self.lower = lower
    self.upper = upper.isFinite && upper > lower ? upper : lower * 10
    isLogarithmic = true
    ticks = Ticks.logarithmic(from: lower, to: self.upper)
  }

  /// Makes an axis for latencies in ms: linear from 0 if they are of similar size, else logarithmic.
  package init(latencies: [Double]) {
    let values = latencies.filter { $0.isFinite && $0 > 0 }
    let most = values.max() ?? 1
    let least = values.min() ?? most
    if most / least > 20 {
      self.init(logarithmic: least / 1.3, most * 1.3)
    } else {
      self.init(linear: 0, most * 1.08)
    }
  }

  /// 0 at the lower end, 1 at the upper end; values beyond an end lie at the end.
  func position(of value: Double) -> Double {
    guard value.isFinite else { return value == .infinity ? 1 : 0 }
    let share =
      isLogarithmic
      ? value > 0 ? log(value / lower) / log(upper / lower) : 0
      : (value - lower) / (upper - lower)
    // The distance of the ends may be infinite.
    guard share.isFinite else { return share == .infinity ? 1 : 0 }
    return min(max(share, 0), 1)
  }

  /// The axis' kind in a word, for a caption.
  var kind: String { isLogarithmic ? "logarithmic" : "linear" }
}

/// Round values for an axis, and their texts.
package enum Ticks {
  /// Values in steps of 1, 2, 2.5 or 5 of a decade; about `count` of them.
  static func linear(from lower: Double, to upper: Double, count: Int) -> [Double] {
    let length = upper - lower
    guard length.isFinite, length > 0, count > 0 else { return [lower] }
    let rough = length / Double(count)
    let decade = pow(10, floor(log10(rough)))
    let step = [1, 2, 2.5, 5, 10].map { $0 * decade }.first { $0 >= rough * 0.999 } ?? rough
    guard step > 0, step.isFinite else { return [lower] }
    let first = (lower / step).rounded(.up)
    let last = (upper / step * (1 + 1e-12)).rounded(.down)
    guard first.isFinite, last >= first, last - first < 100 else { return [lower] }
    return (0...Int(last - first)).map { (first + Double($0)) * step }
  }

  /// Powers of ten; if they are few, also 2 and 5 times them.
  static func logarithmic(from lower: Double, to upper: Double) -> [Double] {
    guard lower > 0, upper > lower, upper.isFinite else { return [lower] }
    let first = Int(floor(log10(lower)))
    let last = Int(ceil(log10(upper)))
    let decades = log10(upper / lower)
    let factors: [Double] = decades > 3.5 ? [1] : decades > 1.7 ? [1, 3] : [1, 2, 5]
    let all = (first...max(first, last)).flatMap { decade in factors.map { $0 * pow(10, Double(decade)) } }
    let inside = all.filter { $0 >= lower * 0.999 && $0 <= upper * 1.001 }
    let stride = max(1, (inside.count + 8) / 9)
    return inside.enumerated().filter { $0.offset.isMultiple(of: stride) }.map(\.element)
  }

  /// A time in ms, short: `250 µs`, `2.5 ms`, `20 s`.
  package static func time(_ milliseconds: Double) -> String {
    switch abs(milliseconds) {
    case 0: "0"
    case ..<0.001: "\(number(milliseconds * 1e6)) ns"
    case ..<1: "\(number(milliseconds * 1000)) µs"
    case ..<1000: "\(number(milliseconds)) ms"
    default: "\(number(milliseconds / 1000)) s"
    }
  }

  /// A number without zeros at its end.
  package static func number(_ value: Double) -> String {
    let text = NumberText.decimals(value, abs(value) >= 100 ? 1 : 3)
    // The zeros of an exponent must stay.
    guard text.contains("."), !text.contains("e") else { return text }
    let trimmed = text.reversed().drop { $0 == "0" }.drop { $0 == "." }
    return String(trimmed.reversed())
  }
}
