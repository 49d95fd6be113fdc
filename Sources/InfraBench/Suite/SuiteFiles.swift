import FoundationEssentials
import Glibc
import UserWorkspace
import Reports
import Results

/// `summary.md`, `summary.json` and `junit.xml` in the output directory.
///
/// They are replaced before the first tool is started, by ones that say so: what a killed run leaves behind must not be the verdict of
/// the run before.
struct SuiteFiles: Sendable {
  let directory: String

  var paths: [String] { ["summary.md", "summary.json", "junit.xml"].map { "\(directory)/\($0)" } }

  /// What stands against their replacement, a sentence each; nothing is changed. A folder that is not there yet has none.
  var obstacles: [String] { paths.compactMap(obstacle) }

  private func obstacle(at path: String) -> String? {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    if status.st_mode & S_IFMT == S_IFDIR {
      return "'\(path)' is a directory, and a result is to have this name: remove it"
    }
    if Self.isMountPoint(path) {
      return "'\(path)' is a mount point, which no new file can replace: mount a directory instead"
    }
    // Asked of the system, which alone knows all that may forbid it: of what is no directory, rmdir says so (ENOTDIR) only where
    // everything else would let it be removed (may_delete in Linux' fs/namei.c).
    return rmdir(path) != 0 && errno != ENOTDIR && errno != ENOENT
      ? "'\(path)' can't be replaced: \(String(cString: strerror(errno)))" : nil
  }

  private static func isMountPoint(_ path: String) -> Bool {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let folder = parts.dropLast().joined(separator: "/")
    guard let name = parts.last, let resolved = realpath(folder.isEmpty ? "/" : folder, nil) else { return false }
    defer { free(resolved) }
    let place = "\(String(cString: resolved))/\(name)"
    let table = FileManager.default.contents(atPath: "/proc/self/mountinfo") ?? Data()
    return MountTable(parsing: String(decoding: table, as: UTF8.self)).entries.contains { $0.mountPoint == place }
  }

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

/// One tool's directory for temporary files.
///
/// A tool removes its own, but not when it is killed, nor those of a gateway that is. Which of the files in everybody's directory are
/// theirs nobody could tell: so each tool gets a directory of its own, below it.
struct TemporaryFiles: Sendable {
  let path: String

  /// Makes it in `TMPDIR`, else in `/tmp`; nil where it can't be made, which the tools will say in their own words.
  init?(environment: [String: String]) {
    let parent = environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    // mkdtemp replaces the six letters by what makes the name unique.
    var template = Array("\(parent)/infrabench-suite-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { return nil }
    // The user ids of an isolation test must be able to pass through; nobody else sees names.
    chmod(template, 0o711)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Removes it; false where something is in it.
  func removeIfEmpty() -> Bool { rmdir(path) == 0 || errno == ENOENT }

  /// Removes it with all that is in it. A gateway that is still ending may be making something there: then it takes more than one
  /// try.
  func remove() async {
    for _ in 0..<50 {
      try? FileManager.default.removeItem(atPath: path)
      guard FileManager.default.fileExists(atPath: path) else { return }
      try? await Task.sleep(for: .milliseconds(20))
    }
  }
}

/// The page of a GitHub job, to which each step appends Markdown: `GITHUB_STEP_SUMMARY`.
///
/// GitHub drops a step's whole page where it is larger than 1 MiB; so it is cut before that.
/// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits
enum StepSummary {
  /// In bytes, of all that is in the file.
  static let limit = 1 << 20

  /// Appends `text`; where it is cut the last line names `whole`, the file with all of it.
  ///
  /// - Returns: what went wrong, for people; nil where nothing did.
  static func append(_ text: String, to path: String, whole: String) -> String? {
    let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else { return "\(path) cannot be written: \(String(cString: strerror(errno)))" }
    defer { close(file) }
    var status = stat()
    let size = fstat(file, &status) == 0 ? Int(status.st_size) : 0
    guard let fitting = fit(text, into: limit - size, whole: whole) else {
      return "\(path) is full, GitHub's limit is 1 MiB: the summary is in \(whole)"
    }
    var bytes = Array(fitting.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return "\(path) cannot be written: \(String(cString: strerror(errno)))" }
      bytes = bytes.dropFirst(count)
    }
    return nil
  }

  /// `text`, or as many of its lines as fit beside the line that says so; nil where not even that does.
  static func fit(_ text: String, into room: Int, whole: String) -> String? {
    Markdown.cut(
      text, to: room, pointer: "\nCut here, as GitHub shows at most 1 MiB: all of it is in \(Markdown.escape(whole)).\n"
    )
  }
}
