/// What makes runs comparable: the tool, the kind of target and the load.
package struct Workload: Sendable, Hashable {
  package var tool: String
  package var targetKind: String
  /// Only where labels are kept apart.
  package var label: String?
  /// The parameters that shape the load, as text; what is null is left out.
  package var parameters: [String: String]

  /// `count=10, concurrency=1`, by name.
  package var parameterText: String {
    parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
  }

  /// The group's name in a line.
  package var title: String { [tool, targetKind, label].compactMap { $0 }.joined(separator: " · ") }
}

extension Workload: Comparable {
  package static func < (left: Workload, right: Workload) -> Bool {
    (left.tool, left.targetKind, left.label ?? "", left.parameterText)
      < (right.tool, right.targetKind, right.label ?? "", right.parameterText)
  }
}

/// Which parameters make two runs' loads different ones. All that are not named here do, a later version's too.
enum WorkloadParameters {
  /// Those that a run has of its own, or that name where it ran and not how much was asked of it.
  static let others: Set<String> = [
    // Every run has another, unless it is given.
    "seed",
    // Names of users, and of headers: whose requests these are.
    "userId", "headers",
    // How finely the result is written.
    "timeline",
    // Paths of bench-dirinit, the ids that its isolation is tried with, and whether what it made stays behind.
    "root", "peerRoot", "asUid", "keep",
    // Names of the pool in ECS, and the ways to it.
    "cluster", "service", "family", "startedBy", "region", "profile",
    // Names of a task that is started for a cold user, and of the network that it is put in.
    "taskDefinition", "subnets", "securityGroups", "assignPublicIp",
  ]

  /// As text, without those that were not given.
  static func shaping(_ parameters: [String: JSONValue]) -> [String: String] {
    parameters.filter { !others.contains($0.key) && $0.value != .null }.mapValues(\.description)
  }
}

/// Versions since which figures mean something else than before: across them runs are not of one kind.
enum BreakingVersions {
  private static let all: [(version: [Int], name: String, what: String)] = [
    (
      [0, 2, 0], "0.2.0",
      "a request that meets its time-out after the end is an error, where it was censored before; a closed loop's rate is over "
        + "the time in which starts were made, without the wait for the last answers; maxima and means answer for failures; "
        + "the pauses of a call that AWS throttled are apart (run_task, drain); and saturation is found by other rules"
    )
  ]

  /// What changed between `versions`, in a sentence; nil where nothing did.
  static func sentence(across versions: Set<String>) -> String? {
    let numbers = versions.map(numbers)
    let crossed = all.filter { change in
      let older = numbers.count { $0.lexicographicallyPrecedes(change.version) }
      return older > 0 && older < numbers.count
    }
    guard !crossed.isEmpty else { return nil }
    return crossed.map { "since \($0.name) \($0.what)" }.joined(separator: "; ")
  }

  /// `0.2.0-beta` is taken for 0.2.0.
  private static func numbers(_ version: String) -> [Int] {
    version.split(separator: ".").prefix(3).map { part in Int(part.prefix { ("0"..."9").contains($0) }) ?? 0 }
  }
}
