import FoundationEssentials
import Synchronization

/// The files of one run's result: written once, or, where a signal ends the run, before anything is given back and once more
/// when it is known what came of that.
final class RunDocument: Sendable {
  /// A result in all forms.
  struct Forms: Sendable {
    var document: ResultDocument
    var json: String
    var markdown: String

    init(_ document: ResultDocument) throws {
      self.document = document
      json = try ResultCoding.encode(document)
      markdown = MarkdownReport(document).text
    }
  }

  private let output: OutputSettings

  private struct Files {
    /// In the order of the formats; nil until they are written.
    var paths: [String]?
    var areFinal = false
  }

  private let files = Mutex(Files())

  init(_ output: OutputSettings) { self.output = output }

  /// Writes the files, or replaces those that this run has written; their paths.
  ///
  /// - Parameter isFinal: What comes after it, such as the interim result of a signal that came at the very end, writes nothing.
  func write(_ forms: Forms, startedAt: Date, isFinal: Bool) throws -> [String] {
    let contents = try contents(forms)
    return try files.withLock { files in
      if files.areFinal, let paths = files.paths { return paths }
      files.areFinal = isFinal
      if let paths = files.paths {
        for (path, content) in zip(paths, contents) { try ResultWriter.replace(path, with: content.text) }
        return paths
      }
      let written = try ResultWriter(directory: output.directory).write(
        tool: forms.document.tool, label: forms.document.label, startedAt: startedAt, contents: contents)
      files.paths = written
      if let file = written.first(where: { $0.hasSuffix(".json") }) {
        SuiteLink.current?.report(.result(file: file))
      }
      return written
    }
  }

  private func contents(_ forms: Forms) throws -> [(fileExtension: String, text: String)] {
    try OutputSettings.Format.allCases.filter(output.formats.contains).map { format in
      let text =
        switch format {
        case .md: forms.markdown
        case .json: forms.json
        case .html: ResultHTML(forms.document).source
        case .junit: JUnitReport(forms.document).xml
        case .csv: CSVReport(forms.document).text
        case .openmetrics: try OpenMetricsReport(forms.document).text
        }
      return (fileExtension: format.fileExtension, text: text)
    }
  }
}
