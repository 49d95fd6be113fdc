import Results
import TextFormatting

/// The checks of a run on a page: a table of verdicts, and for each check what happened, as a sequence over time: a line
/// for each user, a mark for each event in its task's colour, and a rule at each violation.
struct CheckSequence {
  private let check: CheckRecord
  /// The users in the order of their first events; those beyond the most are not drawn.
  private let users: [String]
  /// The number of each task's colour.
  private let colours: [String: Int]

  private static let (mostUsers, mostRows) = (24, 300)
  private static let (laneHeight, seriesColours) = (26.0, 6)
  private static let pool = "the pool"

  private init(_ check: CheckRecord) {
    self.check = check
    var seen: Set<String> = []
    users = Array(check.events.map { $0.user ?? Self.pool }.filter { seen.insert($0).inserted }.prefix(Self.mostUsers))
    var tasks: Set<String> = []
    let inOrder = check.events.compactMap(\.task).filter { tasks.insert($0).inserted }
    colours = Dictionary(uniqueKeysWithValues: inOrder.enumerated().map { ($1, $0 % Self.seriesColours) })
  }

  /// The section's content; nil where the run has checked nothing.
  static func html(of document: ResultDocument) -> HTML? {
    guard let checks = document.checks, !checks.isEmpty else { return nil }
    var table = HTMLTable("What was checked", header: ["check", "verdict", "what must hold", "took", "remark"])
    for check in checks {
      let badge = check.verdict == .pass ? "good" : check.verdict == .fail ? "bad" : "warn"
      table.add([
        .init(text: check.name), .init(text: check.words, badge: badge), .init(text: check.claim),
        .init(text: "\(NumberText.decimals(check.seconds, 2)) s"), .init(text: check.reason ?? ""),
      ])
    }
    return table.html + HTML(checks.filter { !$0.events.isEmpty }.map { CheckSequence($0).figure })
  }

  private var figure: HTML {
    let explanation =
      check.violations.isEmpty
      ? "The first events of the check. A colour is a task."
      : "What led to the violations, which are the dashed lines. A colour is a task."
    let left = check.eventsLeftOut > 0 ? ["\(check.eventsLeftOut) more events are left out."] : []
    return HTMLFigure(
      title: "\(check.name): \(check.words)", explanation: [explanation] + left, picture: picture,
      table: HTML.details("What happened, in words", HTML([violations, events]))
    ).html
  }

  private var picture: HTML {
    let times = check.events.map(\.t) + check.violations.map(\.t)
    let (first, last) = (times.min() ?? 0, times.max() ?? 1)
    let plot = Plot(
      height: 74 + Self.laneHeight * Double(users.count), left: 150, top: 18,
      x: Axis(linear: first, max(last, first + 0.001)), y: Axis(linear: 0, Double(max(1, users.count))))
    let lanes = users.enumerated().map { index, user -> HTML in
      let y = plot.py(Double(users.count - index) - 0.5)
      let dots = check.events.filter { ($0.user ?? Self.pool) == user }.map { event in
        let colour = event.task.flatMap { colours[$0] }
        return
          "<g class=\"c\(colour ?? 5)\">\(HTML.dot(plot.px(event.t), y, class: colour == nil ? "hollow" : "dot", check.line(event)))</g>"
          as HTML
      }
      return """
        <line class="grid" x1="\(px: plot.left)" x2="\(px: plot.innerRight)" y1="\(px: y)" y2="\(px: y)"/>\
        <text class="end soft" x="\(px: plot.left - 8)" y="\(px: y + 4)">\(Self.end(of: user))</text>
        \(dots)
        """
    }
    let rules = check.violations.map { violation -> HTML in
      let x = plot.px(violation.t)
      return """
        <line class="rule" x1="\(px: x)" x2="\(px: x)" y1="\(px: plot.top)" y2="\(px: plot.innerBottom)">\
        <title>\(violation.counter): \(violation.what)</title></line>

        """
    }
    return plot.picture(
      "The check \(check.name) over time: \(users.count) users, \(check.events.count) events, \(check.violations.count) violations",
      plot.secondColumns("seconds since the begin of the run") + HTML(rules) + HTML(lanes))
  }

  /// The end of a user's id, which tells it from the others.
  private static func end(of user: String) -> String { user.count > 20 ? "…\(user.suffix(19))" : user }

  private var violations: HTML {
    var table = HTMLTable("Violations", header: ["at", "counter", "what"])
    for violation in check.violations.prefix(Self.mostRows) {
      table.add(["\(NumberText.decimals(violation.t, 3)) s", violation.counter, violation.what])
    }
    return table.html
  }

  private var events: HTML {
    var table = HTMLTable("Events", header: ["at", "user", "task", "what"])
    for event in check.events.prefix(Self.mostRows) {
      table.add([
        .init(text: "\(NumberText.decimals(event.t, 3)) s"), .init(text: event.user ?? Self.pool),
        .init(text: event.task.map(CheckRecord.short) ?? "", swatch: event.task.flatMap { colours[$0] }),
        .init(text: event.what),
      ])
    }
    return table.html
  }
}
