package import ArgumentParser
import Glibc
import Latency
import Results
import TextFormatting

/// The number of users' directories to make, and the number of writers.
package struct DirInitOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Users; of --count and --duration the first reached ends the run.", valueName: "n"))
  package var count: String?

  @Option(help: ArgumentHelp("How long, such as 30s; lifts the default count.", valueName: "d"))
  package var duration: String?

  @Option(help: ArgumentHelp("Writers at once, each a thread with users of its own. (default: 1)", valueName: "n"))
  package var writers: String?

  @Option(
    help: ArgumentHelp(
      "Users, or a time, before the measurement; in no metric or counter. (default: 0)", valueName: "n|d"))
  package var warmup: String?

  @Option(
    help: ArgumentHelp(
      "Bound of one step, counted as error 'timeout'. Waiting for the peer ends then; a system call that hangs can't "
        + "be cut short, and counts afterwards. (default: 30s)", valueName: "d"))
  package var timeout: String?

  @Option(
    name: .customLong("user-id"),
    help: ArgumentHelp(
      "What the users' directories are called: PREFIX-0001… (default: test-user-xxxx, of host and user)",
      valueName: "prefix")
  )
  package var userID: String?

  @Option(
    help: ArgumentHelp(
      "Makes the order of visits reproducible; recorded in the result. (default: random)", valueName: "n"))
  package var seed: String?

  package init() {}
}

extension OptionReader {
  private static let usualCount = 20

  /// Checks the amount of work; the settings' concurrency is the number of writers.
  mutating func directoryLoad(_ options: DirInitOptions) -> LoadSettings {
    let duration = optionalDuration("--duration", options.duration, minimum: .milliseconds(1))
    let written = optionalInteger("--count", options.count, in: 1...1_000_000_000)
    let count = written ?? (options.duration == nil ? Self.usualCount : nil)
    let writers = integer("--writers", options.writers, default: 1, in: 1...1000)
    if let count, writers > count {
      problems.add("--writers", "\(writers) writers need as many users: give --count \(writers) or more")
    }
    return LoadSettings(
      count: count, duration: duration, concurrency: writers, warmup: warmup(options.warmup),
      timeout: self.duration("--timeout", options.timeout, default: .seconds(30), minimum: .milliseconds(1)),
      userIDPrefix: userIDPrefix(options.userID), seed: seed(options.seed))
  }

  /// The absolute path of a directory that exists and gives this user the rights `W_OK` or `R_OK`, and always that of
  /// entering.
  mutating func directory(_ option: String, _ written: String?, access rights: Int32 = 0) -> String? {
    guard let written else { return nil }
    if let reason = PathText.likeAnOption(written) {
      problems.add(option, reason)
      return nil
    }
    guard let resolved = realpath(written, nil) else {
      problems.add(option, "'\(written)' cannot be reached: \(String(cString: strerror(errno)))")
      return nil
    }
    defer { free(resolved) }
    var status = stat()
    if stat(resolved, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR {
      problems.add(option, "'\(written)' is no directory")
    } else if access(resolved, rights | X_OK) != 0 {
      let use = rights & W_OK != 0 ? "written" : "entered"
      problems.add(option, "'\(written)' cannot be \(use): \(String(cString: strerror(errno)))")
    }
    return String(cString: resolved)
  }

  /// `A,B`: two different ordinary user ids.
  mutating func userIDs(_ option: String, _ written: String?) -> DirInitSettings.UserIDs? {
    guard let written else { return nil }
    let numbers = written.split(separator: ",", omittingEmptySubsequences: false)
      .map { PlainText.wholeNumber(String($0)).flatMap { UInt32(exactly: $0) } }
    // The highest number means "no user" to the kernel.
    guard numbers.count == 2, let owner = numbers[0], let intruder = numbers[1], owner != intruder,
      [owner, intruder].allSatisfy({ $0 > 0 && $0 < .max })
    else {
      problems.add(option, "'\(written)' is wrong: write two different user ids other than 0, such as 1001,1002")
      return nil
    }
    return DirInitSettings.UserIDs(owner: owner, intruder: intruder)
  }
}

/// The checked settings of `bench-dirinit`.
package struct DirInitSettings: Sendable {
  /// Two ordinary user ids: one makes a directory, the other tries to access it.
  package struct UserIDs: Sendable, Equatable {
    package var owner: UInt32
    package var intruder: UInt32
  }

  /// Count, duration and users; its concurrency is the number of writers.
  package var load: LoadSettings
  /// The directory for users' directories; nil: a new temporary directory.
  package var root: String?
  /// A second mount of the same tree; nil: visibility is not measured.
  package var peerRoot: String?
  /// Whether a creation includes writing it to stable storage.
  package var syncs: Bool
  /// Whether the directories stay after the run.
  package var keeps: Bool
  package var isolationIDs: UserIDs?

  var parameters: [String: JSONValue] {
    var parameters = load.parameters
    parameters["concurrency"] = nil
    parameters["writers"] = .int(Int64(load.concurrency))
    parameters["root"] = root.map { .string($0) } ?? "temporary"
    parameters["peerRoot"] = peerRoot.map { .string($0) } ?? .null
    parameters["fsync"] = .bool(syncs)
    parameters["keep"] = .bool(keeps)
    parameters["asUid"] = isolationIDs.map { .string("\($0.owner),\($0.intruder)") } ?? .null
    return parameters
  }
}
