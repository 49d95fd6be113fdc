import FoundationEssentials
import Glibc
import UserWorkspace
import Reports
import Results

/// `summary.md`, `summary.json` and `junit.xml` in the output directory.
///
/// They are replaced before the first tool starts, by files that say that the run goes on. Otherwise a killed run would
/// leave the verdict of the run before it.
struct SuiteFiles: Sendable {
  let directory: String

  var paths: [String] { ["summary.md", "summary.json", "junit.xml"].map { "\(directory)/\($0)" } }

  /// Why the files cannot be replaced, a sentence each; nothing is changed. A folder that does not exist yet has no
  /// obstacles.
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
    // Only the system knows everything that may forbid the replacement, so it is asked by rmdir. For a file that is no
    // directory, Linux reports ENOTDIR only after all checks that would let it be removed (may_delete in fs/namei.c).
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

  /// Replaces all three files. A reader sees the old or the new contents of each, never a part.
  ///
  /// - Parameter comparison: Markdown that follows the summary's own.
  /// - Returns: A sentence for each file that could not be written, with the reason. The old file is removed then.
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
/// A tool removes its own files, unless it is killed, or its gateway is. These files can't be told from others in
/// the common directory, so each tool gets a directory of its own below it.
struct TemporaryFiles: Sendable {
  let path: String

  /// Makes the directory in `TMPDIR`, else in `/tmp`; nil where it can't be made, which the tools report themselves.
  init?(environment: [String: String]) {
    let parent = environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    // mkdtemp replaces the six letters X, so that the name is unique.
    var template = Array("\(parent)/infrabench-suite-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { return nil }
    // The user ids of an isolation test must be able to pass through; other users see no names in it.
    chmod(template, 0o711)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Removes the directory if it is empty; false where it remains.
  func removeIfEmpty() -> Bool { rmdir(path) == 0 || errno == ENOENT }

  /// Removes the directory with its contents. A gateway that is still ending may create files in it, so there are
  /// several tries.
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
/// GitHub drops a step's whole page where it is larger than 1 MiB, so the text is cut before that.
/// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits
enum StepSummary {
  /// The largest size of the whole file, in bytes.
  static let limit = 1 << 20

  /// Appends `text`. Where it is cut, the last line names `whole`, the file with the complete text.
  ///
  /// - Returns: A sentence for people on what went wrong; nil on success.
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

  /// `text`, or as many of its lines as fit into `room` bytes with the line that says so; nil where not even that line
  /// fits.
  static func fit(_ text: String, into room: Int, whole: String) -> String? {
    Markdown.cut(
      text, to: room, pointer: "\nCut here, as GitHub shows at most 1 MiB: all of it is in \(Markdown.escape(whole)).\n"
    )
  }
}
