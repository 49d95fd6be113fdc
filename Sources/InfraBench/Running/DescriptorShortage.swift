import ProcessControl

/// What becomes of a run for which this process may not have enough files open: that is no failure of the target, so that it
/// is said beforehand where the plan tells, ends the run where it happens, and is never counted.
enum DescriptorShortage {
  /// What a tool itself has open beside its connections: loops, streams, libraries, reports.
  static let ownFiles = 64

  /// Why a plan of `files` sockets and files cannot be carried out within `limit`; nil where it can.
  static func problem(files: Int, limit: Int) -> String? {
    let (needed, overflows) = files.addingReportingOverflow(ownFiles)
    guard overflows || needed > limit else { return nil }
    return
      "this run needs about \(needed) open files and sockets, but this process may have \(limit): \(remedy(needed)), or run "
      + "fewer users at one time"
  }

  /// Measures, and ends the run when no more files can be opened.
  static func watching(
    _ measure: @escaping @Sendable () async throws(BenchmarkFailure) -> Measurement
  ) async -> Result<Measurement, BenchmarkFailure> {
    let task = Task { await Result(catching: { () async throws(BenchmarkFailure) in try await measure() }) }
    FileDescriptorLimit.watch { task.cancel() }
    defer { FileDescriptorLimit.watch(nil) }
    let result = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    guard FileDescriptorLimit.wasExceeded else { return result }
    // What the run made of its own end is no news.
    return result.map { measurement in
      var measurement = measurement
      measurement.worthless = reason
      return measurement
    }.mapError { _ in BenchmarkFailure(reason) }
  }

  private static var reason: String {
    let limit = FileDescriptorLimit.raise()
    return "the run was ended: this process may have only \(limit) files and sockets open, and needed more; "
      + "\(remedy(2 * limit)), or run fewer users at one time"
  }

  private static func remedy(_ number: Int) -> String {
    "raise the limit with 'ulimit -n \(number)' (the hard one, 'ulimit -Hn', is root's to raise)"
  }
}
