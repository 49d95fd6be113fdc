package import ArgumentParser
package import Latency
import Results

/// Whether a run is watched minute by minute.
package struct SoakOptions: ParsableArguments {
  @Flag(
    help: ArgumentHelp(
      "Write what each minute measured into a file beside the result, from which bench-report rebuilds it, and test at the end whether anything grows. Needs --duration or --stages."
    ))
  package var soak = false

  @Option(help: ArgumentHelp("The length of a soak's minute, at least 1s. (default: 1m)", valueName: "d"))
  package var soakEvery: String?

  package init() {}
}

/// How a run is watched, checked.
package struct SoakSettings: Sendable, Equatable {
  /// The length of a minute.
  package var every: Nanoseconds

  /// The criteria of a soak. Those of growth are for runs of an hour or more: a growth per hour of a few minutes is
  /// that of caches, which fill at the begin.
  package func defaultThresholds(length: Nanoseconds?) -> [String] {
    let isLong = (length ?? .zero) >= .seconds(3600)
    return (isLong ? ["rss_growth < 1%", "empty.rate < 1%"] : []) + ["\(SoakCounters.leakedTasks) == 0"]
  }
}

/// Counters of soaks.
enum SoakCounters {
  /// Tasks that the gateway still has for users of this run when all of them have left.
  static let leakedTasks = "leaked_tasks"
  static let description = ToolDescription.Counter(leakedTasks, .bad, share: .none)
}

extension [ToolDescription.Parameter] {
  /// The parameter of a soak, which changes only what is written.
  static let soak: Self = [.init("soak", shapesLoad: false)]
}

extension OptionReader {
  /// Checks the options of a soak against the load; nil: the run is no soak.
  mutating func soak(_ options: SoakOptions, _ load: LoadSettings, isLoadBounded: Bool) -> SoakSettings? {
    let every = optionalDuration("--soak-every", options.soakEvery, minimum: .seconds(1))
    guard options.soak else {
      if options.soakEvery != nil {
        refuse("--soak-every", "it is the minute of a soak: give --soak too, or leave it out")
      }
      return nil
    }
    if !isLoadBounded { refuse("--soak", "a soak goes on for a time: give --duration, such as 8h, or --stages") }
    let settings = SoakSettings(every: every ?? .seconds(60))
    if !SoakLine.lengths.contains(settings.every.seconds) {
      refuse("--soak-every", "the minute of a soak is at most 24h long: write a shorter one")
    }
    if let length = load.length, length / settings.every >= UInt64(SoakLine.mostMinutes) {
      refuse(
        "--soak-every",
        "the run has more minutes than a soak's file, \(SoakLine.mostMinutes): write a longer one, or a shorter --duration"
      )
    }
    if let length = load.length, length < settings.every {
      refuse(
        "--soak", "the run is shorter than one minute of the soak: give a longer --duration, or a shorter --soak-every")
    }
    return settings
  }
}
