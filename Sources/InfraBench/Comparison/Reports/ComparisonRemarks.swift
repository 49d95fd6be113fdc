/// What stands beside the figures in every report of a comparison: titles and sentences, which came from elsewhere in part.
package struct ComparisonRemarks {
  package struct Section: Equatable {
    package var title: String
    package var sentences: [String]
  }

  /// More files than these are not named in reports for people; JSON names all.
  private static let mostFiles = 50

  /// Those that have anything to say.
  package let sections: [Section]

  package init(_ comparison: Comparison) {
    let oneSided = comparison.onlyOnOneSide.map { group in
      "\(group.key.title), only in \(group.side.rawValue) (\(Self.runs(group.runs))): \(group.key.parameterText)"
    }
    sections = [
      Section(title: "Unlike environments", sentences: comparison.environmentDifferences.map(\.sentence)),
      Section(title: "Notes", sentences: comparison.notes),
      Section(title: "On one side only", sentences: oneSided + comparison.nearMisses),
      Self.excluded(comparison.excluded),
    ].filter { !$0.sentences.isEmpty }
  }

  /// The files that are not in the figures.
  static func excluded(_ files: [ExcludedFile]) -> Section {
    let sentences = files.prefix(mostFiles).map { "\($0.file): \($0.reason)" }
    let others = files.count > mostFiles ? ["and \(files.count - mostFiles) more, which --print json names"] : []
    return Section(title: "Left out", sentences: sentences + others)
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
