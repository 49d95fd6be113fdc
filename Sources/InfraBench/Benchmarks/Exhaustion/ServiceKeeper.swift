import AWSClient

/// Reads how many tasks the pool's service keeps, and sees to it that a run leaves that number as it was.
///
/// The tool itself never changes it: autoscaling, a pool's manager or a person may. A number that was lowered is put back; one
/// that was raised is told and left, as putting it back would end tasks, and somebody may need them.
struct ServiceKeeper: Sendable {
  let ecs: ECSConnection
  let service: String
  /// Whether the user has agreed to this run's changing the service; else a change is only told.
  let mayUpdate: Bool
  let bench: Bench

  /// What the service was before the run.
  struct Before: Sendable, Equatable {
    var desiredCount: Int
  }

  private static let bound: UInt64 = 5_000_000_000

  /// Asks before anything is drained.
  ///
  /// - Returns: nil where it may not be asked, which is noted.
  /// - Throws: when there is no such service, or when a run that stops tasks cannot know what to leave behind.
  func read() async throws(BenchmarkFailure) -> Before? {
    switch await describe(retry: .standard) {
    case .success(let service):
      let active = service.deployments?.count { $0.status == "PRIMARY" || $0.status == "ACTIVE" } ?? 1
      if active > 1 {
        guard !mayUpdate else {
          throw BenchmarkFailure(
            "a deployment of the service is in progress: nothing was stopped; try again when it is over")
        }
        bench.note("a deployment of the service is in progress: new tasks may be its doing, not the refill's")
      }
      return Before(desiredCount: service.desiredCount)
    case .failure(let error) where error.kind == .accessDenied && !mayUpdate:
      bench.note("the service's desiredCount could not be read, so that a change of it goes unseen: \(error)")
      return nil
    case .failure(let error): throw BenchmarkFailure("the service cannot be described: \(error)")
    }
  }

  /// Asks again when the run is over, also when it was cut short, and puts the number back; what it came to, in words.
  func restore(_ before: Before) async -> String {
    // Unstructured, so that an interrupted run does it all the same.
    let work = Task { await compareAndRestore(before) }
    let alarm = Task {
      try await Task.sleep(nanoseconds: Self.bound)
      work.cancel()
    }
    defer { alarm.cancel() }
    return await work.value
  }

  private func compareAndRestore(_ before: Before) async -> String {
    let wanted = before.desiredCount
    switch await describe(retry: .standard) {
    case .failure(let error):
      bench.note(
        "whether the service's desiredCount is still \(wanted) could not be read: \(error). If it is not: \(command(wanted))"
      )
      return "\(wanted) before the run, unknown after it"
    case .success(let service) where service.desiredCount == wanted:
      return "\(wanted), before the run and after it"
    case .success(let service):
      return await putBack(wanted, from: service.desiredCount)
    }
  }

  private func putBack(_ wanted: Int, from found: Int) async -> String {
    let change = "something changed the service's desiredCount from \(wanted) to \(found) during the run"
    guard mayUpdate, found < wanted else {
      let reason = mayUpdate ? "lowering it would end tasks" : "this run may only read"
      bench.note("\(change); it was left so, as \(reason). If that is not wanted: \(command(wanted))")
      return "\(wanted) before the run, \(found) after it"
    }
    do throws(AWSError) {
      _ = try await ecs.client.updateService(service, cluster: ecs.filter.cluster, desiredCount: wanted)
      bench.note("\(change); it was put back to \(wanted)")
      return "\(wanted), put back from \(found)"
    } catch {
      bench.note("\(change), and it could not be put back: \(error). Do it by hand: \(command(wanted))")
      return "\(wanted) before the run, \(found) after it"
    }
  }

  private func command(_ count: Int) -> String {
    "aws ecs update-service\(ecs.cliOptions) --service \(service) --desired-count \(count)"
  }

  private func describe(retry: RetryPolicy) async -> Result<ECSService, AWSError> {
    do throws(AWSError) {
      let answer = try await ecs.client.describeServices([service], cluster: ecs.filter.cluster, retry: retry)
      if let found = answer.value.first { return .success(found) }
      return .failure(
        AWSError(
          .wrongParameter, code: answer.failures.first?.reason ?? "MISSING",
          message: "there is no service '\(service)'",
          hint: "check --service and --cluster", requestID: answer.calls.last?.requestID))
    } catch {
      return .failure(error)
    }
  }
}
