/// Figures that the team measured on its own stages, to read beside a result. They are never part of one.
enum ReferenceFigures {
  /// A table for the document's report; nil where there is nothing to compare with.
  static func table(for document: ResultDocument) -> TextTable? {
    let ofMetrics = byMetrics.filter { entry in entry.metrics.allSatisfy { document.metrics[$0] != nil } }
    let figures = ofMetrics.flatMap(\.figures) + (byTool[document.tool] ?? [])
    guard !figures.isEmpty else { return nil }
    var table = TextTable(["what", "figure"])
    for (what, figure) in figures { table.add([what, figure]) }
    return table
  }

  /// What stands beside any result that has all of some metrics, whatever its tool.
  private static let byMetrics: [(metrics: [String], figures: [(String, String)])] = [
    (
      AnswerTimes.needed,
      [
        ("streamed answers: first token", "4268 / 3869 ms"), ("streamed answers: completion", "6848 / 6624 ms"),
        ("streamed answers before the fix: first token", "7624–8484 ms"),
        ("streamed answers before the fix: completion", "12363–20414 ms"),
      ]
    )
  ]

  private static let starts = [
    ("on demand, first user", "12 s"), ("on demand, user with an access point", "3–5 s"),
    ("on demand on stage, start P50 / P90", "5.4 / 8.6 s"), ("PENDING to RUNNING P50 / P90", "3.7 / 5.1 s"),
  ]
  private static let instances = [
    ("EC2 stopped → in service (→ task running)", "20 s (22 s)"), ("EC2 hibernated", "17 s"), ("EC2 cold", "81 s"),
  ]
  private static let acquire = [
    ("gateway picks a task in memory", "about 1 ms"), ("one WebSocket message", "about 5 ms"),
    ("stage, real gateway: acquire", "47 ms"),
  ]

  private static let api = [
    ("ECS API from a laptop: list_tasks", "219 ms (168–647)"),
    ("ECS API from a laptop: first call, then on a kept connection", "about 650 ms, then about 170 ms"),
    ("ECS API from a laptop: describe_tasks", "155 ms (153–158)"),
  ]

  private static let byTool: [String: [(String, String)]] = [
    "bench-allocation": acquire,
    "bench-api": api,
    "bench-dirinit": [
      ("EFS: nested mkdir", "14 ms (10–20)"), ("EFS: write", "10 ms"), ("EFS: read", "under 10 ms"),
      ("EFS: whole user initialisation", "33 ms (30–40)"), ("real image: mkdir", "21 ms"),
      ("real image: write token", "19 ms"),
    ],
    "bench-e2e": [
      ("stage, real gateway: whole restart", "368 ms"), ("real image: whole initialisation", "234–282 ms"),
      ("real image: optima --version", "234–262 ms"),
    ] + starts,
    "bench-concurrent": acquire + starts,
    "bench-exhaustion": instances + [("ECS API from a laptop: list_tasks", "219 ms (168–647)")],
  ]
}
