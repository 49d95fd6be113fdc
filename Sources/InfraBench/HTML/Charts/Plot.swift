/// The area of a chart between its axes, in the units of its picture.
struct Plot {
  var width = 720.0
  var height = 360.0
  var left = 66.0
  var right = 20.0
  var top = 14.0
  var bottom = 50.0
  let x: Axis
  let y: Axis

  var innerRight: Double { width - right }
  var innerBottom: Double { height - bottom }

  func px(_ value: Double) -> Double { left + x.position(of: value) * (innerRight - left) }
  func py(_ value: Double) -> Double { innerBottom - y.position(of: value) * (innerBottom - top) }

  /// Horizontal grid lines with their texts at the left.
  func rows(_ label: (Double) -> String) -> HTML {
    HTML(
      y.ticks.map { tick in
        let y = py(tick)
        return """
          <line class="grid" x1="\(px: left)" x2="\(px: innerRight)" y1="\(px: y)" y2="\(px: y)"/>\
          <text class="end soft" x="\(px: left - 7)" y="\(px: y + 4)">\(label(tick))</text>

          """
      })
  }

  /// Vertical grid lines with their texts below, and what the axis is.
  func columns(_ title: String, _ ticks: [(value: Double, label: String)]) -> HTML {
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

  /// Seconds on the x axis.
  func secondColumns(_ title: String) -> HTML {
    columns(title, x.ticks.map { ($0, Ticks.number($0)) })
  }

  /// The whole picture; `label` is what people hear who can't see it.
  func picture(_ label: String, _ content: HTML) -> HTML {
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

  /// A point with a text that shows when it is pointed at.
  static func dot(_ x: Double, _ y: Double, radius: Double = 4, class name: String, _ title: String) -> HTML {
    "<circle class=\"\(name)\" cx=\"\(px: x)\" cy=\"\(px: y)\" r=\"\(px: radius)\"><title>\(title)</title></circle>\n"
  }

  /// A line through points; nothing without any.
  static func line(_ points: [(x: Double, y: Double)], class name: String) -> HTML {
    guard let first = points.first else { return "" }
    let rest = points.dropFirst().map { "L\(px: $0.x) \(px: $0.y)" as HTML }
    return "<path class=\"\(name)\" d=\"M\(px: first.x) \(px: first.y)\(rest)\"/>\n"
  }
}
