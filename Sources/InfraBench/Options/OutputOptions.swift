package import ArgumentParser
import Glibc
import Reports
package import Results

/// Where results are written, and what is printed.
package struct OutputOptions: ParsableArguments {
  @Option(
    name: .customLong("threshold"),
    help: ArgumentHelp(
      "A pass criterion such as 'allocation.p99 < 200ms' or 'errors.rate < 1%'; repeatable.", valueName: "expr"))
  package var thresholds: [String] = []

  @Flag(help: "Leave out the test plan's criteria.")
  package var noDefaultThresholds = false

  @Flag(help: "A run whose generator was saturated keeps its other verdict, and its exit status.")
  package var allowSaturated = false

  @Option(help: ArgumentHelp("Where results are written. (default: results)", valueName: "dir"), completion: .directory)
  package var outputDir: String?

  @Option(
    help: ArgumentHelp(
      "What is written: any of md,json,html,junit,csv,openmetrics. (default: md,json)", valueName: "list"))
  package var format: String?

  @Option(help: ArgumentHelp("A name for this run, in the result and its file's name.", valueName: "text"))
  package var label: String?

  @Option(
    help: ArgumentHelp("What goes to standard output: text, json or md. (default: text)", valueName: "kind"),
    completion: .list(OutputSettings.Print.allCases.map(\.rawValue)))
  package var print: String?

  @Flag(help: "No progress and no notes on standard error.")
  package var quiet = false

  @Flag(help: "No colours. [env: NO_COLOR]")
  package var noColor = false

  package init() {}
}

/// Where results are written, and what is printed, checked.
package struct OutputSettings: Sendable {
  package enum Print: String, Sendable, CaseIterable {
    case text, json, md
  }

  package var directory: String
  package var formats: Set<ResultFormat>
  package var label: String?
  package var print: Print
  package var isQuiet: Bool
  package var usesColor: Bool
  /// Whether a run may pass although its generator was saturated.
  package var allowsSaturated: Bool
}

extension OptionReader {
  /// Checks the output options, and that the directory can be written or made.
  package mutating func output(_ options: OutputOptions) -> OutputSettings {
    let directory = options.outputDir ?? "results"
    let day = Timestamp(now).day
    if let reason = Self.reasonNotWritable(directory) ?? Self.reasonNotWritable("\(directory)/\(day)") {
      problems.add("--output-dir", reason)
    }
    if let label = options.label, label.utf8.count > 100 || label.isEmpty || !label.allSatisfy(Self.isPrintable) {
      problems.add("--label", "write 1 to 100 bytes of printable text")
    }
    let print = choice("--print", options.print, of: OutputSettings.Print.allCases.map(\.rawValue), default: "text")
    return OutputSettings(
      directory: directory, formats: formats(options.format), label: options.label,
      print: OutputSettings.Print(rawValue: print) ?? .text, isQuiet: options.quiet,
      usesColor: !options.noColor && (environment["NO_COLOR"] ?? "").isEmpty && isatty(STDOUT_FILENO) == 1,
      allowsSaturated: options.allowSaturated)
  }

  private mutating func formats(_ written: String?) -> Set<ResultFormat> {
    guard let written else { return ResultFormat.usual }
    var formats: Set<ResultFormat> = []
    for name in written.split(separator: ",", omittingEmptySubsequences: false) {
      if let format = ResultFormat(rawValue: String(name)) {
        formats.insert(format)
      } else {
        let known = ResultFormat.allCases.map(\.rawValue).joined(separator: ",")
        problems.add("--format", "'\(name)' is unknown: write any of \(known)")
      }
    }
    return formats
  }

  private static func isPrintable(_ character: Character) -> Bool {
    character.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }
  }

  /// Checks that a page can be written: its directory exists, and a file that already has the name is a page, and no
  /// result.
  mutating func checkPage(_ option: String, _ path: String) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    let directory = parts.isEmpty ? "." : parts.joined(separator: "/") + "/"
    var status = stat()
    if path.isEmpty || path.hasSuffix("/") || path.utf8.contains(0) {
      problems.add(option, "write a file's path")
    } else if let reason = PathText.likeAnOption(path) {
      problems.add(option, reason)
    } else if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      problems.add(option, "'\(path)' is no ordinary file")
    } else if access(path, F_OK) == 0, !HTMLPage.isOne(path) {
      problems.add(option, "'\(path)' is there already and no HTML page: it is not replaced, write another name")
    } else if stat(directory, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR || access(directory, W_OK | X_OK) != 0
    {
      problems.add(option, "'\(path)' can't be written: is its directory there?")
    }
  }

  /// Why nothing can be written below `path`; nil where it can. Checks the nearest ancestor that exists; makes nothing.
  static func reasonNotWritable(_ path: String) -> String? {
    guard !path.isEmpty, !path.utf8.contains(0) else { return "write a directory's path" }
    if let reason = PathText.likeAnOption(path) { return reason }
    var existing = path
    var status = stat()
    while stat(existing, &status) != 0 {
      guard errno == ENOENT else { return "'\(path)' cannot be reached: \(String(cString: strerror(errno)))" }
      let parts = existing.split(separator: "/", omittingEmptySubsequences: true).dropLast()
      existing = (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
      if existing.isEmpty { existing = "." }
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { return "'\(existing)' is no directory" }
    guard access(existing, W_OK | X_OK) == 0 else { return "'\(existing)' cannot be written" }
    return nil
  }
}

extension OptionReader {
  /// The test plan's thresholds, unless the user leaves them out, then the user's. One that the user repeats counts
  /// once, as the user's.
  ///
  /// - Parameter replaceDefaults: a user's threshold replaces those of the test plan on the same subject, so that it can
  ///   allow what they do not.
  package mutating func thresholds<B: Benchmark>(
    _ options: OutputOptions, for benchmark: B, replaceDefaults: Bool = false
  ) -> [Threshold] {
    let parser = ThresholdParser(B.description)
    var thresholds: [Threshold] = []
    let standard = options.noDefaultThresholds ? [] : benchmark.defaultThresholds + B.description.thresholdsOfAll
    for (expression, isDefault) in standard.map({ ($0, true) }) + options.thresholds.map({ ($0, false) }) {
      do throws(ThresholdError) {
        let threshold = try parser.parse(expression, isDefault: isDefault)
        if let index = thresholds.firstIndex(where: { $0.isSameCriterion(as: threshold) }) {
          thresholds[index] = threshold
        } else {
          if replaceDefaults, !isDefault {
            thresholds.removeAll { $0.isDefault && $0.subject == threshold.subject }
          }
          thresholds.append(threshold)
        }
      } catch {
        problems.add("--threshold", error.message)
      }
    }
    return thresholds
  }
}
