import Glibc

/// `summary.md`, `summary.json` and `junit.xml` in the output directory.
///
/// They are replaced before the first tool is started, by ones that say so: what a killed run leaves behind must not be the verdict of
/// the run before.
struct SuiteFiles: Sendable {
  let directory: String

  var paths: [String] { ["summary.md", "summary.json", "junit.xml"].map { "\(directory)/\($0)" } }

  /// Replaces all three, each so that a reader sees the old one or the new one.
  ///
  /// - Parameter comparison: Markdown that goes behind the summary's own.
  /// - Returns: what could not be written, and why, a sentence each. An old one is removed then.
  func write(_ summary: SuiteSummary, comparison: String? = nil) -> [String] {
    let report = SummaryReport(summary).markdown + (comparison.map { "\n\($0)" } ?? "")
    let contents: [() throws -> String] = [
      { report }, { try ResultCoding.encode(summary) }, { JUnitReport(summary).xml },
    ]
    var problems: [String] = []
    do throws(ResultWriteError) {
      try ResultWriter.makeDirectories(directory)
    } catch {
      return ["\(error)"]
    }
    for (path, content) in zip(paths, contents) {
      do {
        try ResultWriter.replace(path, with: content())
      } catch {
        unlink(path)
        problems.append("'\(path)' could not be written: \((error as? ResultWriteError)?.reason ?? "\(error)")")
      }
    }
    return problems
  }
}
