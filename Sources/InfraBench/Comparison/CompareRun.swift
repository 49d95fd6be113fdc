import Glibc

/// What `bench-compare` does once its options are right.
struct CompareRun {
  let settings: CompareSettings
  let print: OutputSettings.Print
  /// Where a page is written; nil: none is.
  let html: String?
  let console: Console

  /// Does it; the exit status.
  var status: Int32 {
    get async {
      switch settings {
      case .trend(let folder, let settings): await trend(of: folder, settings)
      case .compare(let old, let new, let settings, let isStrict, let failsOnRegression):
        await compare(old, new, settings, isStrict: isStrict, failsOnRegression: failsOnRegression)
      }
    }
  }

  private func compare(
    _ old: String, _ new: String, _ settings: Comparison.Settings, isStrict: Bool, failsOnRegression: Bool
  ) async -> Int32 {
    let comparison: Comparison
    do throws(ComparisonError) {
      comparison = try await Comparison.make(old: [old], new: [new], settings: settings)
    } catch {
      console.error("\(PlainText.line("\(error)")): give OLD and NEW different results, or other labels")
      return EX_USAGE
    }
    let serious = comparison.environmentDifferences.filter(\.isSerious)
    if isStrict, !serious.isEmpty {
      return fail("--strict refuses to compare unlike environments:", serious.map(\.sentence))
    }
    if let reasons = comparison.reasonsForNothing { return fail("nothing can be compared:", reasons) }
    let report = ComparisonReport(comparison)
    // First: whoever reads the output may stop in the middle of it.
    guard writePage(ComparisonHTML(comparison).source),
      write(text: report.text, markdown: report.markdown, document: ComparisonDocument(comparison))
    else { return 1 }
    guard failsOnRegression else { return 0 }
    if comparison.judged.isEmpty {
      console.note("note: --fail-on-regression had nothing to judge: everything shown is exploratory")
    } else if comparison.judged.allSatisfy({ $0.verdict == .tooFewRuns }) {
      console.note("note: --fail-on-regression had nothing to judge: there are too few runs")
    }
    return comparison.hasRegression ? ToolExit.thresholdCrossed.status : 0
  }

  private func trend(of folder: String, _ settings: Trend.Settings) async -> Int32 {
    let trend = await Trend.make([folder], settings: settings)
    guard !trend.groups.isEmpty else {
      let since = settings.since.map { " since \($0)" } ?? ""
      let excluded = ComparisonRemarks.excluded(trend.excluded).sentences.map { "left out: \($0)" }
      return fail("there is nothing to show a trend of in '\(folder)'\(since)", excluded)
    }
    let report = TrendReport(trend)
    guard writePage(TrendHTML(trend, name: folder).source) else { return 1 }
    return write(text: report.text, markdown: report.markdown, document: TrendDocument(trend)) ? 0 : 1
  }

  private func writePage(_ page: @autoclosure () -> String) -> Bool {
    guard let html else { return true }
    do throws(ResultWriteError) {
      try ResultWriter.replace(html, with: page())
    } catch {
      console.error("the page could not be written: \(error)")
      return false
    }
    console.note("wrote \(html)")
    return true
  }

  private func write(text: String, markdown: String, document: some Encodable) -> Bool {
    switch print {
    case .text: console.data(text)
    case .md: console.data(markdown)
    case .json:
      guard let json = try? ResultCoding.encode(document) else {
        console.error("the figures can't be written as JSON")
        return false
      }
      console.data(json)
    }
    return true
  }

  private func fail(_ message: String, _ reasons: [String]) -> Int32 {
    console.error(PlainText.line(message))
    console.talk(reasons.map { "  \(PlainText.line($0))\n" }.joined())
    return ToolExit.failed.status
  }
}
