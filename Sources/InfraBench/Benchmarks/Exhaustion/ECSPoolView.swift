import AWS
import Latency

/// The pool as ECS sees it: which tasks are listed, and which of them are RUNNING.
///
/// `ListTasks(desiredStatus=RUNNING)` lists tasks that are still PROVISIONING or PENDING too, so that each task is
/// described until it has been seen RUNNING. A task that is listed and not described (`MISSING`: ECS's answers lag) may run
/// or not: the look says nothing of it.
struct ECSPoolView: Sendable {
  /// What one poll showed.
  struct Look: Sendable {
    var listed: Sighting
    /// nil where the tasks could be listed and not described.
    var running: Sighting?
    var failure: AWSError?
    /// The latency of each `ListTasks` call, in ns: of the try that was answered.
    var listLatencies: [UInt64]
    /// Tries that ECS throttled before the calls were answered.
    var throttles = 0
  }

  let connection: ECSConnection
  /// Of all tasks that were seen RUNNING.
  private(set) var startPhases = ECSStartPhases()

  private var seenRunning: Set<String> = []
  /// Listed, though they are not of the pool: not every endpoint filters its lists.
  private(set) var foreign: Set<String> = []

  init(_ connection: ECSConnection) {
    self.connection = connection
  }

  /// Looks once. The first look may be tried again; later ones may not: a gap is better than a time that is blurred.
  mutating func look(retry: RetryPolicy) async -> Result<Look, AWSError> {
    let (client, filter) = (connection.client, connection.filter)
    do throws(AWSError) {
      let list = try await client.listTasks(filter, retry: retry)
      let calls = list.calls.map(\.timings)
      guard let first = calls.first, let last = calls.last else {
        return .failure(AWSError(.malformedAnswer, message: "ecs:ListTasks was not called"))
      }
      seenRunning.formIntersection(list.value)
      foreign.formIntersection(list.value)
      let unknown = list.value.filter { !seenRunning.contains($0) && !foreign.contains($0) }
      var describedAt = last.answeredAt
      var throttles = list.calls.map(\.throttles).reduce(0, +)
      var missing = Self.names(unknown)
      var failure: AWSError?
      do throws(AWSError) {
        let description = try await client.describeTasks(unknown, cluster: filter.cluster, retry: retry)
        learn(description.value)
        missing.subtract(Self.names(description.value.map(\.taskArn)))
        throttles += description.calls.map(\.throttles).reduce(0, +)
        describedAt = description.calls.last?.timings.answeredAt ?? describedAt
      } catch {
        failure = error
      }
      // Negative answers count from the sending of the list, which is earlier than that of the description.
      return .success(
        Look(
          listed: Sighting(
            sentAt: first.sentAt, answeredAt: last.answeredAt,
            tasks: Self.names(list.value.filter { !foreign.contains($0) })),
          running: failure == nil
            ? Sighting(
              sentAt: first.sentAt, answeredAt: describedAt, tasks: Self.names(seenRunning),
              unknown: missing) : nil,
          failure: failure, listLatencies: calls.map { $0.answeredAt - $0.sentAt }, throttles: throttles))
    } catch {
      return .failure(error)
    }
  }

  private mutating func learn(_ tasks: [ECSTask]) {
    for task in tasks {
      if !connection.filter.admits(task) {
        foreign.insert(task.taskArn)
      } else if task.isRunning, task.desiredStatus != "STOPPED" {
        seenRunning.insert(task.taskArn)
        startPhases.note(task)
      }
    }
  }

  /// The last parts of ARNs, by which the gateway names the same tasks.
  private static func names(_ arns: some Sequence<String>) -> Set<String> {
    Set(arns.map { $0.split(separator: "/").last.map(String.init) ?? $0 })
  }
}
