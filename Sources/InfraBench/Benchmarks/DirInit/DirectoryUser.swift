import LoadEngine
import ProcessControl
import UserWorkspace

/// One user of a round, which is one iteration: what was done for it so far, and how long that took.
struct DirectoryUser: Sendable {
  /// A latency in ns, or a part of one.
  struct Sample: Sendable {
    var metric: String
    var nanoseconds: UInt64
  }

  /// From 1, as in the user's name.
  let number: Int
  let name: UserDirectoryName
  private(set) var samples: [Sample] = []
  private(set) var stepsDone = 0
  private(set) var failure: (kind: String, message: String)?
  /// Whether this process had no file left to open for it: no failure of the file system's.
  private(set) var isCutOff = false
  /// How its twin was seen through the peer mount.
  var visibility: Visibility?

  init(number: Int, name: String) throws(WorkspaceError) {
    self.number = number
    self.name = try UserDirectoryName(name)
  }

  /// Whether anything was done for it.
  var hasBegun: Bool { stepsDone > 0 || failure != nil || isCutOff }

  /// Takes the next step, unless an earlier one failed. `operation` returns its latency first, then the parts of it.
  ///
  /// A system call can't be cut short: one that took longer than `timeout` ns fails afterwards.
  mutating func attempt(within timeout: UInt64, _ operation: () throws(WorkspaceError) -> [Sample]) {
    guard failure == nil, !isCutOff else { return }
    do throws(WorkspaceError) {
      let taken = try operation()
      if let whole = taken.first, whole.nanoseconds > timeout {
        failure = ("timeout", "\(whole.metric) of '\(name)' took \(DurationText.write(whole.nanoseconds))")
      } else {
        samples += taken
        stepsDone += 1
      }
    } catch {
      fail(error)
    }
  }

  mutating func fail(_ error: WorkspaceError) {
    if let cause = error.systemError, FileDescriptorLimit.isExceeded(errno: cause) {
      isCutOff = true
    } else if failure == nil {
      failure = (FailureKind.of(error), error.description)
    }
  }

  /// How the iteration ended, if `steps` make a whole one.
  func record(steps: Int) -> IterationRecord {
    var record = IterationRecord()
    if let failure {
      record.fail(failure.kind, failure.message)
    } else if isCutOff || stepsDone < steps {
      record.censor()
    }
    return record
  }

  /// `Run 1: create=45.1µs switch=12µs …`, or why not.
  var line: String {
    let times = samples.filter { DirInitBenchmark.wholeSteps.contains($0.metric) }
      .map { " \($0.metric)=\(Figures.time(milliseconds: Double($0.nanoseconds) / 1e6))" }.joined()
    return "Run \(number):\(times)\(failure.map { " failed (\($0.kind))" } ?? "")\n"
  }
}
