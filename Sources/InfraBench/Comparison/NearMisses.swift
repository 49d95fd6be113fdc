/// Groups that would be compared, were it not for a parameter or the kind of target.
struct NearMisses {
  private let old: [LoadShape]
  private let new: [LoadShape]
  /// Of folders that have nothing in common the first few say enough.
  private static let most = 20

  init(_ groups: [Comparison.UnmatchedGroup]) {
    old = groups.filter { $0.side == .old }.map(\.key)
    new = groups.filter { $0.side == .new }.map(\.key)
  }

  /// For each of the first old groups the new one that is most like it.
  var sentences: [String] {
    old.prefix(Self.most).compactMap { old in
      let candidates = new.filter { $0.tool == old.tool }.map { Self.differences(old, $0) }
      guard let nearest = candidates.min(by: { $0.count < $1.count }) else { return nil }
      return "\(old.tool) is not compared: " + nearest.joined(separator: "; ")
    }
  }

  private static func differences(_ old: LoadShape, _ new: LoadShape) -> [String] {
    let own = [("the kind of target", old.targetKind, new.targetKind), ("the label", old.label, new.label)]
    let names = Set(old.parameters.keys).union(new.parameters.keys).sorted()
    let parameters = names.map { ($0, old.parameters[$0], new.parameters[$0]) }
    return (own + parameters).filter { $0.1 != $0.2 }.map { name, old, new in
      "\(name) is \(text(old)) in OLD and \(text(new)) in NEW"
    }
  }

  private static func text(_ value: String?) -> String { value.map { "'\($0.prefix(80))'" } ?? "absent" }
}
