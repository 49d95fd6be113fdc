import Results

/// The number of a pool's tasks over time, as shown by each view.
struct PoolChart {
  private let rows: [ResultTimeline.Row]
  private let marks: RefillMarks
  private static let views: [ResultTimeline.Key] = [.listed, .running, .warm]
  /// The most points of a run's timeline.
  private static let mostPoints = 1_300

  /// Makes a chart; nil for a timeline of another kind.
  init?(_ document: ResultDocument) {
    let rows = (document.timeline?.rows ?? []).filter { row in
      row.t != nil && Self.views.contains { row[$0] != nil }
    }
    guard !rows.isEmpty else { return nil }
    let step = max(1, (rows.count + Self.mostPoints - 1) / Self.mostPoints)
    self.rows = rows.enumerated().filter { $0.offset.isMultiple(of: step) }.map(\.element)
    marks = RefillMarks(document)
  }

  private var shown: [ResultTimeline.Key] { Self.views.filter { view in rows.contains { $0.number(view) != nil } } }

  var key: [HTMLFigure.KeyEntry] {
    shown.map { view in .init(colour: Self.views.firstIndex(of: view) ?? 0, text: view.rawValue) }
  }

  var picture: HTML {
    let most = rows.flatMap { row in shown.compactMap { row.number($0) } }.max() ?? 1
    let times = rows.compactMap { $0.t }
    // A stored document may hold any number, so it is bounded before it becomes an integer.
    let plot = Plot(
      height: 320, top: 30, x: Axis(linear: 0, max(times.max() ?? 1, marks.latest)),
      y: Axis(linear: 0, max(most * 1.12, 1), ticks: Int(min(max(most, 1), 6))))
    let lines = shown.enumerated().map { index, view -> HTML in
      let colour = Self.views.firstIndex(of: view) ?? 0
      // Lines are shifted slightly, so that equal ones stay visible.
      return "<g class=\"c\(colour)\">\n\(steps(of: view, lift: Double(index) * 2 - 2, on: plot))</g>\n"
    }
    return plot.picture(
      "Tasks of the pool over \(Ticks.number(times.max() ?? 0)) seconds: \(shown.map(\.rawValue).joined(separator: ", "))",
      plot.rows(Ticks.number) + plot.secondColumns("seconds since the first look") + gaps(on: plot)
        + draw(marks, on: plot) + HTML(lines))
  }

  /// Draws the end of the drain, and the time within which the pool was full again.
  private func draw(_ marks: RefillMarks, on plot: Plot) -> HTML {
    HTML(
      marks.cycles.map { cycle in
        let x = plot.px(cycle.drained)
        let refill = cycle.refilled.map { refilled -> HTML in
          let (left, right) = (plot.px(refilled.lowerBound), plot.px(refilled.upperBound))
          let title =
            "full again between \(Ticks.number(refilled.lowerBound)) and \(Ticks.number(refilled.upperBound)) s"
          return """
            <rect class="mark c1" x="\(px: left)" y="\(px: plot.top)" width="\(px: max(right - left, 1.5))" \
            height="\(px: plot.innerBottom - plot.top)"><title>\(title)</title></rect>
            <text class="mid soft" x="\(px: (left + right) / 2)" y="\(px: plot.top - 6)">refilled</text>

            """
        }
        return """
          \(refill)<line class="rule" x1="\(px: x)" x2="\(px: x)" y1="\(px: plot.top)" y2="\(px: plot.innerBottom)">\
          <title>t0, the end of the drain: \(Ticks.number(cycle.drained)) s</title></line>
          <text class="mid soft" x="\(px: x)" y="\(px: plot.top - 6)">t0</text>

          """
      })
  }

  /// Shades the time of missed polls: from the poll before them to the poll after them.
  private func gaps(on plot: Plot) -> HTML {
    let missed = Set(rows.indices.filter { rows[$0][.gap] != nil })
    let first = missed.filter { !missed.contains($0 - 1) }.sorted()
    let last = missed.filter { !missed.contains($0 + 1) }.sorted()
    return HTML(
      zip(first, last).map { first, last in
        let before = rows[max(first - 1, 0)].t ?? 0
        let after = rows[min(last + 1, rows.count - 1)].t ?? before
        let (left, right) = (plot.px(before), plot.px(after))
        let reason = rows[first][.gap]?.description ?? ""
        return """
          <rect class="gap" x="\(px: left)" y="\(px: plot.top)" width="\(px: max(right - left, 2))" \
          height="\(px: plot.innerBottom - plot.top)"><title>missed: \(reason)</title></rect>

          """
      })
  }

  /// Draws a view, whose number holds until the next poll. Missed polls leave a gap.
  private func steps(of view: ResultTimeline.Key, lift: Double, on plot: Plot) -> HTML {
    var html = HTML()
    var stretch: [(x: Double, y: Double)] = []
    for row in rows {
      guard let t = row.t else { continue }
      let x = plot.px(t)
      guard let count = row.number(view) else {
        html += HTML.line(stretch, class: "line")
        stretch = []
        continue
      }
      let y = plot.py(count) - lift
      if let last = stretch.last { stretch.append((x, last.y)) }
      stretch.append((x, y))
      html += HTML.dot(x, y, radius: 3, class: "dot", "\(view.rawValue), \(Ticks.number(t)) s: \(Ticks.number(count))")
    }
    return html + HTML.line(stretch, class: "line")
  }
}

/// When the drains of bench-exhaustion ended, and when the pool was full again, from its findings.
struct RefillMarks {
  let cycles: [RefillFinding.Cycle]

  init(_ document: ResultDocument) {
    let findings = document.findings ?? [:]
    let ofCycles = findings.filter { $0.key.hasPrefix("cycle_") }.sorted { NaturalOrder.precedes($0.key, $1.key) }
    cycles =
      ofCycles.isEmpty
      ? [RefillFinding.Cycle(findings)].compactMap { $0 }
      : ofCycles.compactMap { entry in
        guard case .object(let facts) = entry.value else { return nil }
        return RefillFinding.Cycle(facts)
      }
  }

  /// The last marked instant, in seconds.
  var latest: Double { cycles.map { $0.refilled?.upperBound ?? $0.drained }.max() ?? 0 }
}
