import Glibc
import Comparison
import Results
import TextFormatting

/// What `bench-compare` does once its options are right.
struct CompareRun {
  let settings: CompareSettings
  let print: OutputSettings.Print
  /// The path of the HTML page; nil: no page is written.
  let html: String?
  let console: Console

  /// Compares, or shows the trend; returns the exit status.
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
      comparison = try await Comparison.make(old: [old], new: [new], reader: .suite, settings: settings)
    } catch {
      console.error("\(PlainText.line("\(error)")): give OLD and NEW different results, or other labels")
      return EX_USAGE
    }
    let serious = comparison.environmentDifferences.filter(\.isSerious)
    if isStrict, !serious.isEmpty {
      return fail("--strict refuses to compare unlike environments:", serious.map(\.sentence))
    }
    if let reasons = comparison.reasonsForNothing {
      let status = fail("nothing can be compared:", reasons)
      return failsOnRegression && comparison.hasRegression ? self.status(of: comparison) : status
    }
    let report = ComparisonReport(comparison)
    // The page comes first: the reader of the output may stop in the middle of it.
    guard writePage(ComparisonHTML(comparison).source),
      write(text: report.text, markdown: report.markdown, document: ComparisonDocument(comparison))
    else { return 1 }
    return failsOnRegression ? status(of: comparison) : 0
  }

  /// The exit status by `--fail-on-regression`. A regression decides, even where other statistics could not be judged.
  private func status(of comparison: Comparison) -> Int32 {
    let gate = comparison.gate
    if comparison.hasRegression {
      let hidden = gate.regressions.map(\.title).filter { title in !comparison.judged.contains { $0.title == title } }
      if !hidden.isEmpty {
        console.note("note: \(PlainText.line(hidden.joined(separator: ", "))) got worse, which --metric does not show")
      }
      return ToolExit.thresholdCrossed.status
    }
    guard gate.unjudged.isEmpty else {
      return fail("--fail-on-regression could not judge everything, which is no pass:", gate.unjudged)
    }
    return 0
  }

  private func trend(of folder: String, _ settings: Trend.Settings) async -> Int32 {
    let trend = await Trend.make([folder], reader: .suite, settings: settings)
    guard !trend.groups.isEmpty else {
      let since = settings.since.map { " since \($0)" } ?? ""
      let excluded = ComparisonSections.excluded(trend.excluded).sentences.map { "left out: \($0)" }
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
