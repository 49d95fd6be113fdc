/// What stands beside the figures in every report of a comparison: titles and sentences, which came from elsewhere in part.
package struct ComparisonRemarks {
  package struct Section: Equatable {
    package var title: String
    package var sentences: [String]
  }

  /// More files or groups than these are not named in reports for people; JSON names all.
  private static let most = 50

  /// Those that have anything to say.
  package let sections: [Section]

  package init(_ comparison: Comparison) {
    let oneSided = comparison.onlyOnOneSide.map { group in
      "\(group.key.title), only in \(group.side.rawValue) (\(Self.runs(group.runs))): \(group.key.parameterText)"
    }
    sections = [
      Section(title: "Unlike environments", sentences: comparison.environmentDifferences.map(\.sentence)),
      Section(title: "Notes", sentences: comparison.notes),
      Section(title: "On one side only", sentences: Self.first(oneSided) + comparison.nearMisses),
      Self.excluded(comparison.excluded),
    ].filter { !$0.sentences.isEmpty }
  }

  /// The files that are not in the figures.
  static func excluded(_ files: [ExcludedFile]) -> Section {
    Section(title: "Left out", sentences: first(files.map { "\($0.file): \($0.reason)" }))
  }

  private static func first(_ sentences: [String]) -> [String] {
    let others = sentences.count > most ? ["and \(sentences.count - most) more, which --print json names"] : []
    return sentences.prefix(most) + others
  }

  static func runs(_ number: Int) -> String { number == 1 ? "1 run" : "\(number) runs" }
}

extension ComparisonRemarks.Section {
  /// For a terminal.
  var text: String { "\(title):\n" + sentences.map { "  \(PlainText.line($0))\n" }.joined() }

  var markdown: String {
    "**\(title)**\n\n" + sentences.map { "- \(Markdown.escape($0))\n" }.joined()
  }
}
