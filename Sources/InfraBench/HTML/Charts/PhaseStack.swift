/// A latency, and the phases whose means add up to its mean, or nearly.
struct PhaseStack {
  struct Part {
    var name: String
    /// The mean.
    var milliseconds: Double
    /// How many samples it rests on; nil for what is left over.
    var count: UInt64?
    /// What no phase of its own was measured for.
    var isRest: Bool { count == nil }
  }

  let whole: (name: String, milliseconds: Double, count: UInt64)
  /// In the order in which they happen.
  private(set) var parts: [Part]
  /// Whether each phase is the upper end of what polling leaves open.
  let overlaps: Bool

  var sum: Double { parts.reduce(0) { $0 + $1.milliseconds } }

  /// Of the longer of its two bars, in ms.
  var length: Double { max(whole.milliseconds, sum) }

  /// By how much the phases are longer than the whole, in ms.
  var excess: Double { max(0, sum - whole.milliseconds) }

  /// Whether all of them are of the same iterations, as far as their numbers show.
  var isOfOneCount: Bool { parts.allSatisfy { $0.count == nil || $0.count == whole.count } }

  /// A phase that is measured, or one that encloses others.
  private enum Phase {
    case plain(String)
    case enclosing(String, [String])
    /// Of several that may be meant the one with as many samples as the whole has; else the first that there is.
    case fitting([String])
  }

  private static func plans(_ document: ResultDocument) -> [(whole: String, phases: [Phase], overlaps: Bool)] {
    let start: [Phase] = ["run_task_pauses", "run_task", "pending_to_running", "wait_connection"].map { .plain($0) }
    let initUser = Phase.enclosing("init_user", ["workspace", "process_start"])
    switch document.tool {
    case EndToEndBenchmark.tool:
      // Where the way ends at `ready` the phases are seen from inside the task, and `acquire` encloses them.
      return [
        ("end_to_end", [.plain("acquire"), initUser, .fitting(["first_response_warm", "first_response"])], false),
        document.metrics["end_to_end"] == nil ? ("ready", [initUser], false) : nil,
        // Of a task that the first message starts.
        document.metrics["first_response_cold"] == nil
          ? ("end_to_end_cold", start, true) : ("end_to_end_cold", [.plain("first_response_cold")], false),
      ].compactMap { $0 }
    case ConcurrentBenchmark.tool: return [("cold", start, true)]
    case DirInitBenchmark.tool:
      return [("create", [.plain("mkdir"), .plain("write_token"), .plain("fsync")], false)]
    case APIBenchmark.tool:
      return [
        ("first_call", [.plain("name_lookup"), .plain("connect"), .plain("tls")], false),
        ("list_tasks", [.plain("list_tasks_first_byte")], false),
        ("describe_tasks", [.plain("describe_tasks_first_byte")], false),
      ]
    case ExhaustionBenchmark.tool:
      return [
        ("refill_task", [.plain("placement"), .enclosing("ecs_pending_to_running", ["ecs_image_pull"])], true)
      ]
    default: return []
    }
  }

  /// Those that the document has samples for.
  static func of(_ document: ResultDocument) -> [PhaseStack] {
    plans(document).compactMap { plan -> PhaseStack? in
      guard let whole = document.metrics[plan.whole] else { return nil }
      let parts = plan.phases.flatMap { Self.parts(of: $0, in: document.metrics, whole: whole.count) }
      guard !parts.isEmpty else { return nil }
      var stack = PhaseStack(
        whole: (plan.whole, whole.mean, whole.count), parts: parts, overlaps: plan.overlaps)
      let rest = whole.mean - stack.sum
      if rest > 0 { stack.parts.append(Part(name: "rest of \(plan.whole)", milliseconds: rest)) }
      return stack
    }
  }

  private static func parts(of phase: Phase, in metrics: [String: MetricDocument], whole: UInt64) -> [Part] {
    switch phase {
    case .fitting(let names):
      let found = names.first { metrics[$0]?.count == whole } ?? names.first { metrics[$0] != nil }
      return found.map { parts(of: .plain($0), in: metrics, whole: whole) } ?? []
    case .plain(let name):
      return metrics[name].map { [Part(name: name, milliseconds: $0.mean, count: $0.count)] } ?? []
    case .enclosing(let name, let inner):
      let inside = inner.flatMap { parts(of: .plain($0), in: metrics, whole: whole) }
      guard let outer = metrics[name] else { return inside }
      guard !inside.isEmpty else { return [Part(name: name, milliseconds: outer.mean, count: outer.count)] }
      let rest = outer.mean - inside.reduce(0) { $0 + $1.milliseconds }
      return inside + (rest > 0 ? [Part(name: "rest of \(name)", milliseconds: rest)] : [])
    }
  }
}
