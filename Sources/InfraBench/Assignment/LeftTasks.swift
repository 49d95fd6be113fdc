/// What is said of tasks that a run could not give back: how many, which, and how they are ended. Pure.
struct LeftTasks {
  /// Their names, as the gateway gave them.
  var names: [String]
  /// Whether some were taken with a balancer's cookies.
  var areOfNodes: Bool

  /// A note says the names of so many.
  private static let shown = 5

  /// - Parameter command: what gives a task of this name back, by hand; nil where it can't be written.
  func note(_ command: (String) -> String?) -> String {
    let isOne = names.count == 1
    let sorted = names.sorted()
    let list = sorted.prefix(Self.shown).map { String(PlainText.line($0).prefix(80)) }.joined(separator: ", ")
    let rest = names.count > Self.shown ? " and \(names.count - Self.shown) more" : ""
    let said =
      "\(isOne ? "1 task could not be released and is" : "\(names.count) tasks could not be released and are") still "
      + "assigned: \(list)\(rest)"
    let place = areOfNodes ? " at the node that gave \(isOne ? "it" : "each of them") out" : ""
    let byHand = sorted.lazy.compactMap(command).first.map { ": \($0)" } ?? " by the gateway's release call"
    return "\(said). Give \(isOne ? "it" : "them") back\(place)\(byHand); of a pool in ECS, "
      + "aws ecs stop-task ends a task too"
  }
}
