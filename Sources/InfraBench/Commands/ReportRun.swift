import Glibc
package import Reports
import Results
import TextFormatting

/// bench-report's work: it reads, merges and renders results, and decides the exit status.
package struct ReportRun {
  private let settings: ReportSettings
  private let usesColor: Bool
  private let console: Console

  package init(_ settings: ReportSettings, usesColor: Bool, console: Console) {
    self.settings = settings
    self.usesColor = usesColor
    self.console = console
  }

  /// One result that is shown.
  private struct Entry {
    /// The name by which the user knows it.
    var name: String
    /// The name of its files without their extension.
    var stem: String
    var document: ResultDocument
    var rendering: ResultRendering { ResultRendering(document) }
  }

  /// Shows the results; returns the process's exit status: 0, or 1 if a file could not be read or written. The verdicts
  /// of the runs do not count, because showing them succeeded.
  ///
  /// - Throws: Options that do not fit the files; nothing is written then.
  package func perform() throws(Problems) -> Int32 {
    // The reader of the output may stop early: that must not end the process.
    signal(SIGPIPE, SIG_IGN)
    let entries: [Entry]
    let isWhole: Bool
    if settings.mergesShards {
      (entries, isWhole) = ([try shards()], true)
    } else {
      let results = readAll()
      isWhole = results.count == settings.files.count
      if !isWhole, results.isEmpty || settings.merges { return 1 }
      entries = try self.entries(results)
    }
    try checkMetrics(of: entries)
    do {
      if settings.directory == nil, let format = settings.formats.first {
        try show(entries, as: format)
      } else {
        for entry in entries { try write(entry) }
        show(entries)
      }
    } catch {
      console.error("\(error)")
      return 1
    }
    return isWhole ? 0 : 1
  }

  /// The results that can be read; for each of the others an error is printed.
  private func readAll() -> [StoredResult] {
    settings.files.compactMap { path in
      do throws(ResultReadError) {
        let result = try ResultReader.suite.read(path)
        for text in result.contradictions { console.note(PlainText.line("note: '\(path)': \(text)")) }
        return result
      } catch {
        console.error(error.description)
        return nil
      }
    }
  }

  private func entries(_ results: [StoredResult]) throws(Problems) -> [Entry] {
    guard settings.merges, let first = results.min(by: { $0.document.startedAt < $1.document.startedAt }) else {
      return results.map { Entry(name: $0.path, stem: $0.stem, document: $0.document) }
    }
    do throws(ResultMergeError) {
      return [Entry(name: "the merge", stem: first.stem + "-merged", document: try ResultMerge.merge(results))]
    } catch {
      var problems = Problems()
      for sentence in error.sentences { problems.add("--merge", sentence) }
      throw problems
    }
  }

  private func shards() throws(Problems) -> Entry {
    do throws(ResultMergeError) {
      let document = try ShardMerge.merge(settings.files, allowsMissing: settings.allowsMissing, reader: .suite)
      let stem = settings.files[0].split(separator: "/").last.map { String($0.prefix { $0 != "." }) } ?? "shards"
      return Entry(name: "the merge of shards", stem: stem + "-merged", document: document)
    } catch {
      var problems = Problems()
      for sentence in error.sentences { problems.add("--merge-shards", sentence) }
      throw problems
    }
  }

  private func checkMetrics(of entries: [Entry]) throws(Problems) {
    var problems = Problems()
    let known = Set(entries.flatMap(\.document.metrics.keys)).sorted()
    for name in settings.metrics where !known.contains(name) {
      let list = known.isEmpty ? "there is none" : "there is \(PlainText.list(known, "and"))"
      problems.add("--metric", "'\(PlainText.line(name))' is in no file: \(list)")
    }
    guard problems.isEmpty else { throw problems }
  }

  private struct NothingToShow: Error, CustomStringConvertible {
    var description: String
  }

  /// Shows the only document in its only format.
  private func show(_ entries: [Entry], as format: ResultRendering.Format) throws {
    guard let entry = entries.first else { return }
    var metrics = settings.metrics
    if format == .hgrm, metrics.isEmpty { metrics = Array(entry.rendering.metrics.prefix(1)) }
    let files = try entry.rendering.files(format, metrics: metrics)
    guard let file = files.first else {
      throw NothingToShow(description: PlainText.line("'\(entry.name)' has no latency, and so no \(format.rawValue)"))
    }
    console.data(file.text)
  }

  private func show(_ entries: [Entry]) {
    guard let print = settings.print else { return }
    for (number, entry) in entries.enumerated() {
      let blank = number > 0 ? "\n" : ""
      switch print {
      case .text:
        let title = entries.count > 1 ? PlainText.line(entry.name) + "\n" : ""
        console.data(blank + title + entry.rendering.text(usesColor: usesColor))
      case .md: console.data(blank + entry.rendering.markdown)
      case .json: console.data((try? ResultCoding.encode(entry.document)) ?? "")
      }
    }
  }

  /// Writes an entry in all formats, under one stem.
  private func write(_ entry: Entry) throws {
    guard let directory = settings.directory else { return }
    for name in settings.metrics where entry.document.metrics[name] == nil {
      console.note(PlainText.line("note: '\(entry.name)' has no \(name)"))
    }
    let files = try settings.formats.flatMap { try entry.rendering.files($0, metrics: settings.metrics) }
    guard !files.isEmpty else { return console.note(PlainText.line("note: '\(entry.name)' has nothing to be written")) }
    for path in try ResultWriter(directory: directory).write(stem: entry.stem, contents: files) {
      console.note("wrote \(path)")
    }
  }
}

/// What bench-report is asked for, checked.
package struct ReportSettings: Sendable {
  package var files: [String]
  package var merges: Bool
  /// Whether the files are the shards of one load.
  package var mergesShards = false
  package var allowsMissing = false
  /// Empty: the report goes to standard output, in the form of `print`.
  package var formats: [ResultRendering.Format]
  /// Nil: the only format goes to standard output.
  package var directory: String?
  /// The metrics of `.hgrm` and `.hlog` files; empty: all metrics, on standard output the headline alone.
  package var metrics: [String]
  /// Nil: nothing is printed beside the `formats`.
  package var print: OutputSettings.Print?
}

extension OptionReader {
  /// Checks what the user wrote; nothing is read or written yet.
  package mutating func report(
    files: [String], merges: Bool, mergesShards: Bool = false, allowsMissing: Bool = false, format: String?,
    directory: String?, metrics: [String], print: String?
  ) -> ReportSettings {
    if files.isEmpty { problems.add("FILE", "name at least one result") }
    if merges, mergesShards {
      problems.add(
        "--merge-shards", "--merge is of runs one after another, this of parts at the same time: leave one out")
    }
    if allowsMissing, !mergesShards { problems.add("--allow-missing", "it is for --merge-shards: give that too") }
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
      if files.count > 1, !merges, !mergesShards {
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
      files: files, merges: merges, mergesShards: mergesShards, allowsMissing: allowsMissing, formats: formats,
      directory: directory, metrics: metrics,
      print: format == nil || print != nil ? OutputSettings.Print(rawValue: kind) : nil)
  }

  /// The formats in their own order, each once.
  private mutating func reportFormats(_ written: String?) -> [ResultRendering.Format] {
    let all = ResultRendering.Format.allCases
    let names = written?.split(separator: ",", omittingEmptySubsequences: false).map(String.init) ?? []
    for name in names where ResultRendering.Format(rawValue: name) == nil {
      let known = all.map(\.rawValue).joined(separator: ",")
      problems.add("--format", "'\(PlainText.line(name))' is unknown: write any of \(known)")
    }
    return all.filter { names.contains($0.rawValue) }
  }
}
