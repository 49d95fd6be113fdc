/// What is said of tasks, or sessions, that a run could not give back: how many, which, and how they are ended. Pure.
struct LeftTasks {
  /// Their names, as the gateway gave them.
  var names: [String]
  /// Whether some were taken with a balancer's cookies.
  var areOfNodes: Bool
  /// Whether they are sessions: a gateway that starts tasks by first messages has no tasks for them.
  var areSessions = false
  /// Whose they are, by name: the users' numbers, where users have several tokens among them.
  var owners: [String: Int] = [:]

  /// The most names in a note.
  private static let shown = 5

  /// - Parameter command: what gives a task of this name back, by hand; nil where it can't be written.
  func note(_ command: (String) -> String?) -> String {
    let isOne = names.count == 1
    let sorted = names.sorted()
    let list = sorted.prefix(Self.shown).map { String(PlainText.line($0).prefix(80)) }.joined(separator: ", ")
    let rest = names.count > Self.shown ? " and \(names.count - Self.shown) more" : ""
    let noun = areSessions ? "session" : "task"
    let said =
      "\(isOne ? "1 \(noun) could not be released and is" : "\(names.count) \(noun)s could not be released and are") "
      + "still \(areSessions ? "open" : "assigned"): \(list)\(rest)"
    let place = areOfNodes ? " at the node that gave \(isOne ? "it" : "each of them") out" : ""
    let example = sorted.first { command($0) != nil }
    let byHand = example.flatMap(command).map { ": \($0)" } ?? " by the gateway's release call"
    let token = credential(of: example)
    let inECS = areSessions ? "" : "; of a pool in ECS, aws ecs stop-task ends a task too"
    return "\(said). Give \(isOne ? "it" : "them") back\(place)\(token)\(byHand)\(inECS)"
  }

  /// With whose tokens they are given back, and the one of the command; empty where all users have the same.
  private func credential(of example: String?) -> String {
    guard !owners.isEmpty else { return "" }
    let each = names.count == 1 ? " with its user's token" : ", each with its user's token"
    guard let owner = example.flatMap({ owners[$0] }) else { return each }
    let token = owner == 0 ? "the first token" : "user \(owner)'s token"
    return names.count == 1 ? " with \(token)" : "\(each), here \(token)"
  }
}
