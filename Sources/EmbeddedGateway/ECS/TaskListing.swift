import AWS
import FoundationEssentials

extension ECSOperations {
  /// Tasks whose *desired* status is the one asked for (`RUNNING` unless said otherwise): with `RUNNING` that includes
  /// those still `PROVISIONING` or `PENDING`, exactly as in ECS.
  func listTasks(_ request: ECSRequests.ListTasks) async throws(ECSRefusal) -> ECSAnswers.TaskARNs {
    let service = try await service(inCluster: request.cluster)
    if let name = request.serviceName, ![service.name, service.arn].contains(name) { throw .serviceNotFound }
    let desiredStatus = request.desiredStatus ?? "RUNNING"
    guard ["RUNNING", "PENDING", "STOPPED"].contains(desiredStatus) else {
      throw .parameter("desiredStatus must be RUNNING, PENDING or STOPPED.")
    }
    let pageSize = request.maxResults ?? 100
    guard (1...100).contains(pageSize) else { throw .parameter("maxResults must be between 1 and 100.") }
    guard request.startedBy == nil || (request.serviceName == nil && request.family == nil) else {
      throw .parameter("startedBy cannot be combined with serviceName or family.")
    }

    let tasks = await fleet.tasks()
    var start = tasks.startIndex
    if let token = request.nextToken {
      guard let last = PageToken(token, of: request)?.lastTaskID,
        let index = tasks.firstIndex(where: { $0.taskID == last })
      else { throw .parameter("Invalid token.") }
      start = tasks.index(after: index)
    }
    let matching = tasks[start...].filter { task in
      task.desiredStatus.rawValue == desiredStatus
        && (request.serviceName == nil || task.group == "service:\(service.name)")
        && (request.family == nil || request.family == service.family)
        && (request.startedBy == nil || task.startedBy == request.startedBy)
        && (request.launchType == nil || request.launchType == ECSAnswers.launchType)
        && request.containerInstance == nil
    }
    let page = matching.prefix(pageSize)
    let next = matching.count > page.count ? page.last.map { PageToken(lastTaskID: $0.taskID).text(of: request) } : nil
    return ECSAnswers.TaskARNs(taskArns: page.map(\.arn), nextToken: next)
  }

  func describeTasks(_ request: ECSRequests.DescribeTasks) async throws(ECSRefusal) -> ECSAnswers.Tasks {
    let service = try await service(inCluster: request.cluster)
    guard let names = request.tasks, !names.isEmpty else { throw .parameter("Tasks cannot be empty.") }
    guard names.count <= 100 else { throw .parameter("Tasks cannot have more than 100 elements.") }
    let tasks = Dictionary(await fleet.tasks().map { ($0.taskID, $0) }) { first, _ in first }
    var answer = ECSAnswers.Tasks(tasks: [], failures: [])
    for name in names {
      if let task = taskID(name, of: service).flatMap({ tasks[$0] }) {
        answer.tasks.append(ECSAnswers.Task(task, of: service))
      } else {
        let arn = name.hasPrefix("arn:") ? name : service.taskARN(id: name)
        answer.failures.append(ECSAnswers.Failure(arn: arn, reason: "MISSING"))
      }
    }
    return answer
  }
}

/// Where a page ended. It names the last task rather than a position, as tasks stop between two pages; it holds for the
/// filters it was made for only.
struct PageToken: Equatable {
  var lastTaskID: String

  init(lastTaskID: String) { self.lastTaskID = lastTaskID }

  /// `nil` for a text that is no token of these filters.
  init?(_ text: String, of request: ECSRequests.ListTasks) {
    guard text.utf8.count <= 4_096, let data = Data(base64Encoded: text) else { return nil }
    let parts = String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == PageToken.filters(request) else { return nil }
    lastTaskID = String(parts[1])
  }

  func text(of request: ECSRequests.ListTasks) -> String {
    Data("\(PageToken.filters(request))\n\(lastTaskID)".utf8).base64EncodedString()
  }

  private static func filters(_ request: ECSRequests.ListTasks) -> String {
    [request.serviceName, request.family, request.startedBy, request.desiredStatus ?? "RUNNING"]
      .map { ($0 ?? "").filter { !$0.isNewline } }.joined(separator: "\t")
  }
}
