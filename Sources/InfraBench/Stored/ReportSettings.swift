import Glibc

/// What bench-report is asked for, checked.
package struct ReportSettings: Sendable {
  package var files: [String]
  package var merges: Bool
  /// Empty: the report goes to standard output, as `print` says.
  package var formats: [StoredRendering.Format]
  /// Nil: the only format goes to standard output.
  package var directory: String?
  /// Of `.hgrm` and `.hlog`; empty for all, or for the headline on standard output.
  package var metrics: [String]
  /// Nil: nothing beside what `formats` say.
  package var print: OutputSettings.Print?
}

extension OptionReader {
  /// Checks what the user wrote; nothing is read or written yet.
  package mutating func report(
    files: [String], merges: Bool, format: String?, directory: String?, metrics: [String], print: String?
  ) -> ReportSettings {
    if files.isEmpty { problems.add("FILE", "name at least one result") }
    if merges, files.count == 1 { problems.add("--merge", "name at least two files") }
    let formats = reportFormats(format)
    if let directory {
      if let reason = Self.reasonNotWritable(directory) { problems.add("--output-dir", reason) }
      if format == nil {
        problems.add("--output-dir", "say with --format which files to write, such as --format md,csv")
      }
    } else if format != nil {
      if formats.count > 1 {
        problems.add("--format", "standard output takes one format: write several with --output-dir")
      }
      if files.count > 1, !merges {
        problems.add(
          "--format",
          "standard output takes one document: name one file, merge them with --merge, or write with --output-dir")
      }
      if print != nil { problems.add("--print", "--format is what goes to standard output, without --output-dir") }
      if formats == [.hgrm], metrics.count > 1 {
        problems.add("--metric", "standard output takes the .hgrm of one metric: write several with --output-dir")
      }
    }
    if !metrics.isEmpty, !formats.contains(.hgrm), !formats.contains(.hlog) {
      problems.add("--metric", "only --format hgrm and hlog are of single metrics")
    }
    let kinds = OutputSettings.Print.allCases.map(\.rawValue)
    let kind = choice("--print", print, of: kinds, default: "text")
    return ReportSettings(
      files: files, merges: merges, formats: formats, directory: directory, metrics: metrics,
      print: format == nil || print != nil ? OutputSettings.Print(rawValue: kind) : nil)
  }

  /// In their own order, each once.
  private mutating func reportFormats(_ written: String?) -> [StoredRendering.Format] {
    let all = StoredRendering.Format.allCases
    let names = written?.split(separator: ",", omittingEmptySubsequences: false).map(String.init) ?? []
    for name in names where StoredRendering.Format(rawValue: name) == nil {
      let known = all.map(\.rawValue).joined(separator: ",")
      problems.add("--format", "'\(PlainText.line(name))' is unknown: write any of \(known)")
    }
    return all.filter { names.contains($0.rawValue) }
  }
}
