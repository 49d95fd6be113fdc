import AWS
import FoundationEssentials

/// The operations by name. Each checks its parameters as ECS does and then calls the fleet.
struct ECSOperations: Sendable {
  let fleet: any TaskFleet

  func perform(_ name: String, body: [UInt8]) async throws(ECSError) -> [UInt8] {
    switch name {
    case "ListTasks": ECSJSON.encode(try await listTasks(ECSJSON.decode(ECSRequests.ListTasks.self, from: body)))
    case "DescribeTasks":
      ECSJSON.encode(try await describeTasks(ECSJSON.decode(ECSRequests.DescribeTasks.self, from: body)))
    case "RunTask": ECSJSON.encode(try await runTask(ECSJSON.decode(ECSRequests.RunTask.self, from: body)))
    case "StopTask": ECSJSON.encode(try await stopTask(ECSJSON.decode(ECSRequests.StopTask.self, from: body)))
    case "DescribeServices":
      ECSJSON.encode(try await describeServices(ECSJSON.decode(ECSRequests.DescribeServices.self, from: body)))
    case "UpdateService":
      ECSJSON.encode(try await updateService(ECSJSON.decode(ECSRequests.UpdateService.self, from: body)))
    default: throw .unknownOperation
    }
  }

  /// The fleet's service, if the request names the fleet's cluster; a request without a name means `default`.
  func service(inCluster cluster: String?) async throws(ECSError) -> FleetService {
    let service = await fleet.service()
    guard [service.clusterName, service.clusterARN].contains(cluster ?? "default") else { throw .clusterNotFound }
    return service
  }

  func runTask(_ request: ECSRequests.RunTask) async throws(ECSError) -> ECSAnswers.Tasks {
    let service = try await service(inCluster: request.cluster)
    guard let definition = request.taskDefinition, !definition.isEmpty else {
      throw .client("TaskDefinition cannot be empty.")
    }
    // The definition is `family`, `family:revision`, or a whole ARN, whose last part is one of the two.
    let family = definition.split(separator: "/").last?.split(separator: ":").first
    guard family.map(String.init) == service.family else { throw .client("Unable to describe task definition.") }
    let count = request.count ?? 1
    guard (1...10).contains(count) else { throw .parameter("Count must be between 1 and 10.") }
    guard (request.startedBy ?? "").count <= 128 else {
      throw .parameter("startedBy can be at most 128 characters long.")
    }
    try checkPlacement(request)
    let tasks = await fleet.runTasks(
      count: count, startedBy: request.startedBy ?? "", group: request.group ?? "family:\(service.family)")
    let unplaced = ECSAnswers.Failure(arn: service.clusterARN, reason: "RESOURCE:MEMORY")
    return ECSAnswers.Tasks(
      tasks: tasks.map { ECSAnswers.Task($0, of: service) },
      failures: Array(repeating: unplaced, count: max(0, count - tasks.count)))
  }

  /// Checks the placement as ECS does. It has no effect here.
  private func checkPlacement(_ request: ECSRequests.RunTask) throws(ECSError) {
    if let launchType = request.launchType {
      guard ["EC2", "FARGATE", "EXTERNAL"].contains(launchType) else { throw .parameter("Launch type not supported.") }
      guard request.capacityProviderStrategy == nil else {
        throw .parameter("Specifying both a launch type and capacity provider strategy is not supported.")
      }
    }
    guard request.capacityProviderStrategy?.allSatisfy({ $0.capacityProvider?.isEmpty == false }) ?? true else {
      throw .parameter("Capacity provider cannot be empty.")
    }
    guard let network = request.networkConfiguration?.awsvpcConfiguration else { return }
    guard let subnets = network.subnets, (1...16).contains(subnets.count) else {
      throw .parameter("subnets must have between 1 and 16 elements.")
    }
    guard ["ENABLED", "DISABLED"].contains(network.assignPublicIp ?? "DISABLED") else {
      throw .parameter("assignPublicIp must be ENABLED or DISABLED.")
    }
  }

  func stopTask(_ request: ECSRequests.StopTask) async throws(ECSError) -> ECSAnswers.OneTask {
    let service = try await service(inCluster: request.cluster)
    guard let task = request.task, !task.isEmpty else { throw .parameter("Task cannot be empty.") }
    guard let id = taskID(task, of: service),
      let stopped = await fleet.stopTask(id: id, reason: request.reason ?? "Task stopped by user")
    else { throw .parameter("The referenced task was not found.") }
    return ECSAnswers.OneTask(task: ECSAnswers.Task(stopped, of: service))
  }

  func describeServices(_ request: ECSRequests.DescribeServices) async throws(ECSError) -> ECSAnswers.Services {
    let service = try await service(inCluster: request.cluster)
    guard let names = request.services, !names.isEmpty else { throw .parameter("Services cannot be empty.") }
    guard names.count <= 10 else { throw .parameter("Services cannot have more than 10 elements.") }
    var answer = ECSAnswers.Services(services: [], failures: [])
    for name in names {
      if [service.name, service.arn].contains(name) {
        answer.services.append(ECSAnswers.Service(service))
      } else {
        let arn = name.hasPrefix("arn:") ? name : String(service.arn.dropLast(service.name.count)) + name
        answer.failures.append(ECSAnswers.Failure(arn: arn, reason: "MISSING"))
      }
    }
    return answer
  }

  func updateService(_ request: ECSRequests.UpdateService) async throws(ECSError) -> ECSAnswers.OneService {
    let service = try await service(inCluster: request.cluster)
    guard let name = request.service, !name.isEmpty else { throw .parameter("Service cannot be empty.") }
    guard [service.name, service.arn].contains(name) else { throw .serviceNotFound }
    guard let count = request.desiredCount else { return ECSAnswers.OneService(service: ECSAnswers.Service(service)) }
    // 5,000 is ECS's quota of tasks per service.
    guard (0...5_000).contains(count) else { throw .parameter("desiredCount must be between 0 and 5000.") }
    guard let changed = await fleet.setDesiredCount(count) else {
      throw .parameter("desiredCount \(count) is more than this pool may hold.")
    }
    return ECSAnswers.OneService(service: ECSAnswers.Service(changed))
  }

  /// The id in a task's name, which is the id or an ARN; `nil` for an ARN of another cluster.
  func taskID(_ task: String, of service: FleetService) -> String? {
    guard task.hasPrefix("arn:") else { return task }
    let prefix = service.taskARN(id: "")
    return task.hasPrefix(prefix) ? String(task.dropFirst(prefix.count)) : nil
  }
}

extension ECSOperations {
  /// Tasks whose *desired* status is the requested one (`RUNNING` by default). As in ECS, `RUNNING` includes tasks that
  /// are still `PROVISIONING` or `PENDING`.
  func listTasks(_ request: ECSRequests.ListTasks) async throws(ECSError) -> ECSAnswers.TaskARNs {
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

  func describeTasks(_ request: ECSRequests.DescribeTasks) async throws(ECSError) -> ECSAnswers.Tasks {
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

/// The end of a page. The token names the last task and not a position, because tasks stop between two pages. It is
/// valid only for the filters of its listing.
struct PageToken: Equatable {
  var lastTaskID: String

  init(lastTaskID: String) { self.lastTaskID = lastTaskID }

  /// `nil` for a text that is not a token of these filters.
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
