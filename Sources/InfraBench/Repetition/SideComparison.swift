import FoundationEssentials

/// What `bench-compare` says of two gateways that were measured in turn: the second's runs against the first's.
struct SideComparison {
  let a: [ResultDocument]
  let b: [ResultDocument]

  /// Text, or Markdown.
  func report(asMarkdown: Bool) async -> String {
    let comparison: Comparison
    do throws(ComparisonError) {
      comparison = try await Comparison.make(old: runs(of: a), new: runs(of: b), names: (name("a", a), name("b", b)))
    } catch {
      return "a and b cannot be compared: \(error)\n"
    }
    if let reasons = comparison.reasonsForNothing {
      let lines = reasons.map { asMarkdown ? "- \(Markdown.escape($0))\n" : "  \(PlainText.line($0))\n" }.joined()
      return "a and b cannot be compared:\n" + (asMarkdown ? "\n" : "") + lines
    }
    let report = ComparisonReport(comparison)
    return asMarkdown ? report.markdown : report.text
  }

  /// Read back from what is written, so that it is what bench-compare would see.
  private func runs(of documents: [ResultDocument]) -> StoredRuns {
    var runs = StoredRuns(runs: [], excluded: [])
    for document in documents {
      // No file: each has a number of its own, and that is all that is asked of it.
      let number = document.repetition?.run ?? 0
      let file = StoredFile(path: "run \(number)", identity: .init(device: 0, inode: UInt(number)))
      guard let json = try? ResultCoding.encode(document),
        case .run(let run) = StoredRun.read(Data(json.utf8), of: file)
      else { continue }
      runs.runs.append(run)
    }
    return runs
  }

  private func name(_ side: String, _ documents: [ResultDocument]) -> String {
    [side, documents.first?.target.gatewayUrl].compactMap { $0 }.joined(separator: " ")
  }
}
