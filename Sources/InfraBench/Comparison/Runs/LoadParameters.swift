/// Which parameters make two runs' loads different ones. All that are not named here do, a later version's too.
enum LoadParameters {
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
