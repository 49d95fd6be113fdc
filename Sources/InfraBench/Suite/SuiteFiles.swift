import FoundationEssentials
import Glibc
import UserWorkspace

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
