import AWS
import Latency

/// Watches the ECS service whose pool is drained. No task is stopped while somebody else changes the service, and its
/// desiredCount is put back only where the user asked for that.
///
/// The tool itself never changes the service otherwise. Autoscaling, a pool's manager or a person may change it, and
/// have their reasons.
struct ServiceGuard: Sendable {
  let ecs: ECSConnection
  let service: String
  /// Whether this run stops tasks.
  let stopsTasks: Bool
  /// Whether a desiredCount that was lowered during the run is put back (`--restore-desired-count`).
  let restores: Bool
  let bench: RunContext

  /// The state of the service before the run, or at the end of a cycle.
  struct Before: Sendable, Equatable {
    var desiredCount: Int
    /// The id of its latest deployment; nil where ECS does not tell.
    var deployment: String?
    /// Whether a deployment was in progress.
    var isDeploying = false
    /// Whether a note has already named that deployment, so that it is noted once for all cycles.
    var isSaid = false

    fileprivate init(_ service: ECSService) {
      desiredCount = service.desiredCount
      deployment = service.primaryDeployment
      isDeploying = service.isBeingDeployed
    }
  }

  private static let bound: Nanoseconds = .seconds(5)
  /// The longest time of a check while tasks are being stopped.
  private static let askBound: Nanoseconds = .seconds(2)
  private static let active = "ACTIVE"

  /// Reads the service before anything is drained.
  ///
  /// - Returns: nil where the service may not be read, which is noted.
  /// - Throws: when there is no such service, when it cannot be read although this run stops tasks, or when its tasks
  ///   must not be stopped.
  func read() async throws(BenchmarkFailure) -> Before? {
    switch await describe() {
    case .success(let service):
      var before = Before(service)
      if stopsTasks {
        try refuse(objection(service, before))
      } else if before.isDeploying {
        before.isSaid = true
        bench.note("a deployment of the service is in progress: new tasks may be its doing, not the refill's")
      }
      return before
    case .failure(let error) where error.kind == .accessDenied && !stopsTasks:
      bench.note("the service's desiredCount could not be read, so that a change of it goes unseen: \(error)")
      return nil
    case .failure(let error): throw BenchmarkFailure("the service cannot be described: \(error)")
    }
  }

  /// Checks the service right before tasks are stopped.
  ///
  /// - Throws: when the service has changed since `before`, or cannot be read.
  func checkBeforeDrain(_ before: Before) async throws(BenchmarkFailure) { try refuse(await objection(before)?.reason) }

  /// Why no task may be stopped: the service has changed since `before`, or cannot be read. nil where tasks may be
  /// stopped.
  func objection(_ before: Before) async -> StopObjection? {
    // Retries end after this time: a drain must not go on without knowing that it may.
    let answer = await TimeLimit.run(for: Self.askBound, endsWithCaller: true) { await describe() }
    switch answer {
    case .success(let service): return objection(service, before).map { .changed($0) }
    case .failure(let error) where error.transfer?.kind == .cancelled:
      return .unreadable("ECS did not say within \(DurationText.write(Self.askBound)) what the service is")
    case .failure(let error): return .unreadable("the service cannot be described: \(error)")
    }
  }

  private func refuse(_ objection: String?) throws(BenchmarkFailure) {
    if let objection { throw BenchmarkFailure("\(objection): no task is stopped") }
  }

  /// Tasks are stopped only where the service will replace them and nobody is changing it.
  private func objection(_ service: ECSService, _ before: Before) -> String? {
    let status = service.status ?? "of no status"
    if status != Self.active { return "the service is \(status), not \(Self.active)" }
    if service.desiredCount != before.desiredCount { return change(before.desiredCount, service.desiredCount) }
    if service.desiredCount == 0 { return "the service's desiredCount is 0, so that no task would come again" }
    if service.isBeingDeployed { return "a deployment of the service is in progress (try again when it is over)" }
    return service.primaryDeployment == before.deployment ? nil : "the service was deployed during the run"
  }

  /// Checks at the end of a cycle whether a deployment went on during it, which may have started the new tasks. Returns
  /// it in words; nil if there was none, or where ECS does not tell, which is noted.
  ///
  /// - Parameter last: the service at the end of the cycle before; replaced by its present state.
  func deployment(inCycle number: Int, since last: inout Before) async -> String? {
    let service: ECSService
    switch await describe() {
    case .success(let found): service = found
    case .failure(let error):
      if !Task.isCancelled {
        bench.note("whether a deployment of the service began in cycle \(number) could not be read: \(error)")
      }
      return nil
    }
    let before = last
    last = Before(service)
    let isSame = last.deployment == before.deployment
    last.isSaid = before.isSaid && isSame && last.isDeploying
    if !isSame || (last.isDeploying && !before.isDeploying) {
      let name = isSame ? "" : last.deployment.map { ", \($0)" } ?? ""
      return "a deployment of the service began during the refill\(name)"
    }
    return before.isDeploying && !before.isSaid ? "a deployment of the service went on during the refill" : nil
  }

  /// The note for a result that is written before ``restore(_:)`` has read the service; nil where this run may only
  /// read.
  func pending(_ before: Before) -> String? {
    guard stopsTasks else { return nil }
    return "whether the service's desiredCount is still \(before.desiredCount) was not looked at yet when this was "
      + "written. If it is not: \(command(before.desiredCount))"
  }

  /// Reads the service at the end of the run, an interrupted one too, and puts desiredCount back where the user asked
  /// for that; returns the outcome in words.
  func restore(_ before: Before) async -> String {
    // Unstructured, so that an interrupted run does it too.
    let work = Task { await compareAndRestore(before) }
    let alarm = Task {
      try await Task.sleep(for: Self.bound)
      work.cancel()
    }
    defer { alarm.cancel() }
    return await work.value
  }

  private func compareAndRestore(_ before: Before) async -> String {
    let wanted = before.desiredCount
    switch await describe() {
    case .failure(let error):
      bench.note(
        "whether the service's desiredCount is still \(wanted) could not be read: \(error). If it is not: \(command(wanted))"
      )
      return "\(wanted) before the run, unknown after it"
    case .success(let service) where service.desiredCount == wanted:
      if let status = service.status, status != Self.active { bench.note("the service is \(status) after the run") }
      return "\(wanted), before the run and after it"
    case .success(let service):
      return await putBack(wanted, service)
    }
  }

  private func putBack(_ wanted: Int, _ service: ECSService) async -> String {
    let found = service.desiredCount
    let seen = change(wanted, found)
    if let reason = reasonToLeave(wanted, service) {
      bench.note("\(seen); it was left so, as \(reason). If that is not wanted: \(command(wanted))")
      return "\(wanted) before the run, \(found) after it"
    }
    do throws(AWSError) {
      _ = try await ecs.client.updateService(self.service, cluster: ecs.filter.cluster, desiredCount: wanted)
      bench.note("\(seen); it was put back to \(wanted)")
      return "\(wanted), put back from \(found)"
    } catch {
      bench.note("\(seen), and it could not be put back: \(error). Do it by hand: \(command(wanted))")
      return "\(wanted) before the run, \(found) after it"
    }
  }

  private func reasonToLeave(_ wanted: Int, _ service: ECSService) -> String? {
    if service.status != Self.active { return "the service is \(service.status ?? "of no status")" }
    if service.desiredCount > wanted { return "lowering it would end tasks" }
    if !stopsTasks { return "this run may only read" }
    return restores ? nil : "--restore-desired-count was not given"
  }

  private func change(_ before: Int, _ after: Int) -> String {
    "something changed the service's desiredCount from \(before) to \(after) during the run"
  }

  private func command(_ count: Int) -> String {
    "aws ecs update-service\(ecs.cliOptions) --service \(service) --desired-count \(count)"
  }

  private func describe() async -> Result<ECSService, AWSError> {
    do throws(AWSError) {
      let answer = try await ecs.client.describeServices([service], cluster: ecs.filter.cluster)
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

extension ECSService {
  /// Whether several deployments have tasks.
  fileprivate var isBeingDeployed: Bool {
    deployments?.count { $0.status == "PRIMARY" || $0.status == "ACTIVE" } ?? 1 > 1
  }

  /// The id of the latest deployment.
  fileprivate var primaryDeployment: String? { deployments?.first { $0.status == "PRIMARY" }?.id }
}
