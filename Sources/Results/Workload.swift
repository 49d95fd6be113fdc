/// What makes runs comparable: the tool, the kind of target and the load.
package struct Workload: Sendable, Hashable {
  package var tool: ToolDescription
  package var targetKind: String
  /// The results' label, where labels are compared separately; else nil.
  package var label: String?
  /// The parameters that shape the load, as text, without null ones.
  package var parameters: [String: String]

  package init(tool: ToolDescription, targetKind: String, label: String?, parameters: [String: String]) {
    self.tool = tool
    self.targetKind = targetKind
    self.label = label
    self.parameters = parameters
  }

  /// `count=10, concurrency=1`, sorted by name.
  package var parameterText: String {
    parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
  }

  /// The workload's name in one line.
  package var title: String { [tool.name, targetKind, label].compactMap { $0 }.joined(separator: " · ") }
}

extension Workload: Comparable {
  package static func < (left: Workload, right: Workload) -> Bool {
    (left.tool.name, left.targetKind, left.label ?? "", left.parameterText)
      < (right.tool.name, right.targetKind, right.label ?? "", right.parameterText)
  }
}

/// Versions that changed the meaning of figures: results of versions before and after such a change are not comparable.
package enum BreakingVersions {
  private static let all: [(version: [Int], name: String, what: String)] = [
    (
      [0, 2, 0], "0.2.0",
      "a request that meets its time-out after the end is an error, where it was censored before; a closed loop's rate is over "
        + "the time in which starts were made, without the wait for the last answers; maxima and means answer for failures; "
        + "the pauses of a call that AWS throttled are apart (run_task, drain); and saturation is found by other rules"
    )
  ]

  /// The changes between `versions`, in a sentence; nil where there are none.
  package static func sentence(across versions: Set<String>) -> String? {
    let numbers = versions.map(numbers)
    let crossed = all.filter { change in
      let older = numbers.count { $0.lexicographicallyPrecedes(change.version) }
      return older > 0 && older < numbers.count
    }
    guard !crossed.isEmpty else { return nil }
    return crossed.map { "since \($0.name) \($0.what)" }.joined(separator: "; ")
  }

  /// The numbers of a version; `0.2.0-beta` counts as 0.2.0.
  private static func numbers(_ version: String) -> [Int] {
    version.split(separator: ".").prefix(3).map { part in Int(part.prefix { ("0"..."9").contains($0) }) ?? 0 }
  }
}

/// The load that a run was asked for, from its parameters.
package struct RequestedLoad: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    /// Arrivals are due on a schedule.
    case openLoop
    /// Each user's iterations follow one another.
    case closedLoop
    case bursts
  }

  package var kind: Kind
  /// Whether virtual users made the load: bench-api and bench-exhaustion have none.
  package var hasUsers: Bool
  package var count: Int64?
  /// As written on the command line: `30s`, `100/s`, `30s:100/s`.
  package var duration: String?
  package var rate: String?
  package var stages: String?

  /// Reads the load from the parameters of a result.
  package init(_ parameters: [String: JSONValue]) {
    func text(_ name: String) -> String? {
      guard case .string(let text)? = parameters[name] else { return nil }
      return text
    }
    kind = parameters["maxInFlight"] != nil ? .openLoop : parameters["bursts"] != nil ? .bursts : .closedLoop
    hasUsers = parameters["maxInFlight"] != nil || parameters["concurrency"] != nil
    if case .int(let number)? = parameters["count"] { count = number }
    duration = text("duration")
    rate = text("rate")
    stages = text("stages")
  }
}

extension ResultDocument {
  package var load: RequestedLoad { RequestedLoad(parameters) }
}
