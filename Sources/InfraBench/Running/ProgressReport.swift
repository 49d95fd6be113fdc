package import LoadEngine

/// A plain line of progress every ten seconds on standard error.
package enum ProgressReport {
  private static let interval = Duration.seconds(10)

  /// Runs `work`, telling of `progress` meanwhile.
  package static func showing<T: Sendable>(
    _ progress: ProgressCounter, of load: LoadSettings, console: Console, _ work: () async -> T
  ) async -> T {
    let reporter = Task {
      var elapsed = 0
      while (try? await Task.sleep(for: interval)) != nil {
        elapsed += Int(interval.components.seconds)
        let total = load.count.map { " of \($0)" } ?? ""
        console.note("\(elapsed) s: \(progress.done)\(total) done, \(progress.failed) failed")
      }
    }
    defer { reporter.cancel() }
    return await work()
  }
}
