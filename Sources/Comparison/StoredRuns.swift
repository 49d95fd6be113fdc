import FoundationEssentials
import Glibc
package import Results

/// The runs at some paths, and the files there that were left out.
package struct StoredRuns: Sendable {
  /// All readable runs, in the order of time.
  package var runs: [StoredRun]
  package var excluded: [ExcludedFile]

  package init(runs: [StoredRun], excluded: [ExcludedFile]) {
    self.runs = runs
    self.excluded = excluded
  }

  /// Reads the results at `paths`, files or folders with results below them, on all cores.
  ///
  /// JSON files that are no results are skipped, unless `paths` names them.
  package static func load(_ paths: [String], _ reader: ResultReader) async -> StoredRuns {
    let search = ResultFileSearch(paths)
    let named = Set(paths)
    let files = search.files
    let parts = max(1, min(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 16, files.count))
    return await withTaskGroup(of: StoredRuns.self) { group in
      for part in 0..<parts {
        group.addTask {
          var found = StoredRuns(runs: [], excluded: [])
          for index in stride(from: part, to: files.count, by: parts) {
            found.read(files[index], isNamed: named.contains(files[index].path), reader)
          }
          return found
        }
      }
      var all = StoredRuns(runs: [], excluded: search.unreadable)
      for await found in group {
        all.runs += found.runs
        all.excluded += found.excluded
      }
      all.runs.sort { ($0.startedAt, $0.file.path) < ($1.startedAt, $1.file.path) }
      return all
    }
  }

  private mutating func read(_ file: ResultFile, isNamed: Bool, _ reader: ResultReader) {
    do throws(ResultReadError) {
      runs.append(StoredRun(try reader.readWritten(file), file: file))
    } catch {
      if !error.isForeign || isNamed { excluded.append(ExcludedFile(file: file.path, reason: error.reason)) }
    }
  }

  /// The runs with `label`; all runs if it is nil.
  func labelled(_ label: String?) -> StoredRuns {
    guard let label else { return self }
    return StoredRuns(runs: runs.filter { $0.label == label }, excluded: excluded)
  }

  /// The comparable runs, without copies, so that each run counts once. The metrics of runs whose rates alone count are
  /// removed.
  var comparable: StoredRuns {
    var result = StoredRuns(runs: [], excluded: excluded)
    var firsts: [StoredRun.Identity: String] = [:]
    for run in runs {
      if let reason = run.exclusionReason {
        result.exclude(run, reason)
      } else if let first = firsts[run.identity] {
        result.exclude(run, "another file of the run in \(first): a run counts once")
      } else {
        firsts[run.identity] = run.file.path
        var run = run
        if run.hasRatesOnly { run.metrics = [:] }
        result.runs.append(run)
      }
    }
    return result
  }

  private mutating func exclude(_ run: StoredRun, _ reason: String) {
    excluded.append(ExcludedFile(file: run.file.path, reason: reason))
  }
}
