/// What makes runs comparable: the tool, the kind of target and the load.
package struct LoadShape: Sendable, Hashable {
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

extension LoadShape: Comparable {
  package static func < (left: LoadShape, right: LoadShape) -> Bool {
    (left.tool, left.targetKind, left.label ?? "", left.parameterText)
      < (right.tool, right.targetKind, right.label ?? "", right.parameterText)
  }
}
