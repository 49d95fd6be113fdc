import Results

// Reference figures of the team's own stages, which several tools show

extension [ToolDescription.Reference] {
  static let acquire: Self = [
    .init("gateway picks a task in memory", "about 1 ms"), .init("one WebSocket message", "about 5 ms"),
    .init("stage, real gateway: acquire", "47 ms"),
  ]

  static let taskStarts: Self = [
    .init("on demand, first user", "12 s"), .init("on demand, user with an access point", "3–5 s"),
    .init("on demand on stage, start P50 / P90", "5.4 / 8.6 s"), .init("PENDING to RUNNING P50 / P90", "3.7 / 5.1 s"),
  ]
}

extension ToolDescription.Reference {
  static let listTasks = Self("ECS API from a laptop: list_tasks", "219 ms (168–647)")
}
