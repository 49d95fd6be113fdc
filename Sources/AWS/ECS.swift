import FoundationEssentials

/// Amazon ECS, reduced to the operations that observe and drain a warm pool.
///
/// ```swift
/// let configuration = try AWSConfiguration.resolve(flags: .init(region: "eu-west-1"), environment: environment)
/// let client = ECSClient(
///   configuration: configuration, transport: try CurlTransport(), environment: .system(warn: { _ in }))
/// let arns = try await client.listTasks(TaskFilter(cluster: "lab", serviceName: "warm"))
/// let tasks = try await client.describeTasks(arns.value, cluster: "lab")
/// // tasks.value.count { $0.isRunning }, tasks.calls.map(\.timings.total)
/// ```
public struct ECSClient: Sendable {
  /// The most pages that one listing may have: without it a service whose list never ends would hold a poller for ever.
  static let maximumPages = 1_000
  private static let batchSize = 100

  private let service: JSONService

  ///
  /// - Parameter transport: a ``CurlTransport`` made with the configuration's certificate bundle.
  public init(configuration: AWSConfiguration, transport: any HTTPTransport, environment: CallEnvironment) {
    let target = ServiceTarget(
      signingName: "ecs", region: configuration.region, endpoint: configuration.ecsEndpoint,
      endpointSetting: "--ecs-endpoint-url")
    service = JSONService(
      targetPrefix: "AmazonEC2ContainerServiceV20141113",
      service: SignedService(
        target: target, credentials: configuration.credentials, transport: transport, environment: environment))
  }

  /// The number of throttled answers since the client was made, retried ones included.
  public var throttleCount: Int { service.service.throttleCount }

  /// The ARNs of all tasks whose *desired* status is `status`, from all pages of the listing.
  ///
  /// `running` includes tasks that are still `PROVISIONING` or `PENDING`; ``describeTasks(_:cluster:retry:)`` gives the
  /// actual status.
  public func listTasks(
    _ filter: TaskFilter, desiredStatus: ECSTask.DesiredStatus = .running, pageSize: Int = 100,
    retry: RetryPolicy = .standard
  ) async throws(AWSError) -> ECSAnswer<[String]> {
    var answer = ECSAnswer<[String]>(value: [], calls: [], failures: [])
    var token: String?
    repeat {
      let input = ListTasksInput(
        cluster: filter.cluster, serviceName: filter.serviceName, family: filter.family, startedBy: filter.startedBy,
        desiredStatus: desiredStatus, maxResults: min(max(pageSize, 1), 100), nextToken: token)
      let (page, record) = try await answer.noting {
        () async throws(AWSError) in
        try await service.call("ListTasks", input, returning: ListTasksOutput.self, retry: retry)
      }
      answer.value += page.taskArns
      answer.calls.append(record)
      guard page.nextToken == nil || (page.nextToken != token && answer.calls.count < ECSClient.maximumPages) else {
        throw AWSError(
          .malformedAnswer, message: "ecs:ListTasks does not come to an end after \(answer.calls.count) pages",
          requestID: record.requestID, httpStatus: 200)
      }
      token = page.nextToken.flatMap { $0.isEmpty ? nil : $0 }
    } while token != nil
    return answer
  }

  /// Tasks by ARN or id, in calls of at most 100. A task that ECS does not know (yet) is a failure `MISSING`.
  public func describeTasks(
    _ tasks: [String], cluster: String?, retry: RetryPolicy = .standard
  ) async throws(AWSError) -> ECSAnswer<[ECSTask]> {
    var answer = ECSAnswer<[ECSTask]>(value: [], calls: [], failures: [])
    for start in stride(from: 0, to: tasks.count, by: ECSClient.batchSize) {
      let batch = Array(tasks[start..<min(start + ECSClient.batchSize, tasks.count)])
      let (output, record) = try await answer.noting {
        () async throws(AWSError) in
        try await service.call(
          "DescribeTasks", DescribeTasksInput(cluster: cluster, tasks: batch), returning: TasksOutput.self,
          retry: retry)
      }
      answer.value += output.tasks
      answer.failures += output.failures
      answer.calls.append(record)
    }
    return answer
  }

  /// Services by name or ARN (at most 10).
  public func describeServices(
    _ services: [String], cluster: String?, retry: RetryPolicy = .standard
  ) async throws(AWSError) -> ECSAnswer<[ECSService]> {
    let (output, record) = try await service.call(
      "DescribeServices", DescribeServicesInput(cluster: cluster, services: services),
      returning: DescribeServicesOutput.self, retry: retry)
    return ECSAnswer(value: output.services, calls: [record], failures: output.failures)
  }

  /// Sets how many tasks a service keeps (0 and up).
  public func updateService(
    _ name: String, cluster: String?, desiredCount: Int, retry: RetryPolicy = .standard
  ) async throws(AWSError) -> ECSAnswer<ECSService> {
    let (output, record) = try await service.call(
      "UpdateService", UpdateServiceInput(cluster: cluster, service: name, desiredCount: desiredCount),
      returning: UpdateServiceOutput.self, retry: retry)
    return ECSAnswer(value: output.service, calls: [record], failures: [])
  }

  /// Starts 1–10 tasks. A task without room is a failure in the answer.
  ///
  /// - Parameters:
  ///   - launchType: `FARGATE`, `EC2` or `EXTERNAL`; ECS refuses `capacityProvider` beside it.
  ///   - network: required by tasks of the network mode `awsvpc`, such as all tasks on Fargate.
  public func runTask(
    _ taskDefinition: String, cluster: String?, count: Int, startedBy: String? = nil, launchType: String? = nil,
    capacityProvider: String? = nil, network: TaskNetwork? = nil, retry: RetryPolicy = .standard
  ) async throws(AWSError) -> ECSAnswer<[ECSTask]> {
    let input = RunTaskInput(
      cluster: cluster, taskDefinition: taskDefinition, count: count, startedBy: startedBy, launchType: launchType,
      capacityProviderStrategy: capacityProvider.map { [CapacityProviderStrategyItem(capacityProvider: $0)] },
      networkConfiguration: network.map(NetworkConfiguration.init), clientToken: UUID().uuidString)
    let (output, record) = try await service.call("RunTask", input, returning: TasksOutput.self, retry: retry)
    return ECSAnswer(value: output.tasks, calls: [record], failures: output.failures)
  }

  /// Asks one task to end.
  public func stopTask(
    _ task: String, cluster: String?, reason: String? = nil, retry: RetryPolicy = .standard
  ) async throws(AWSError) -> ECSAnswer<ECSTask> {
    let (output, record) = try await service.call(
      "StopTask", StopTaskInput(cluster: cluster, task: task, reason: reason), returning: StopTaskOutput.self,
      retry: retry)
    return ECSAnswer(value: output.task, calls: [record], failures: [])
  }
}

extension ECSAnswer {
  /// Makes the next call; its error lists the calls that were answered before it.
  fileprivate func noting<Output>(_ call: () async throws(AWSError) -> Output) async throws(AWSError) -> Output {
    do throws(AWSError) {
      return try await call()
    } catch {
      var error = error
      error.answeredCalls = calls
      throw error
    }
  }
}

// The inputs and outputs of ECS's operations; field names as in its API reference, version 2014-11-13.
// A required field is not optional: an answer without it is not an answer of the operation.
struct ListTasksInput: Encodable {
  var cluster: String?
  var serviceName: String?
  var family: String?
  var startedBy: String?
  var desiredStatus: ECSTask.DesiredStatus
  var maxResults: Int
  var nextToken: String?
}

struct ListTasksOutput: Decodable {
  var taskArns: [String]
  var nextToken: String?
}

struct DescribeTasksInput: Encodable {
  var cluster: String?
  var tasks: [String]
}

/// The output of DescribeTasks and of RunTask.
struct TasksOutput: Decodable {
  var tasks: [ECSTask]
  var failures: [ECSFailure]

  private enum CodingKeys: CodingKey { case tasks, failures }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    tasks = try fields.decode([ECSTask].self, forKey: .tasks)
    failures = fields.readableList(.failures) ?? []
  }
}

struct DescribeServicesInput: Encodable {
  var cluster: String?
  var services: [String]
}

struct DescribeServicesOutput: Decodable {
  var services: [ECSService]
  var failures: [ECSFailure]

  private enum CodingKeys: CodingKey { case services, failures }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    services = try fields.decode([ECSService].self, forKey: .services)
    failures = fields.readableList(.failures) ?? []
  }
}

struct UpdateServiceInput: Encodable {
  var cluster: String?
  var service: String
  var desiredCount: Int
}

struct UpdateServiceOutput: Decodable {
  var service: ECSService
}

struct RunTaskInput: Encodable {
  var cluster: String?
  var taskDefinition: String
  var count: Int
  var startedBy: String?
  var launchType: String?
  var capacityProviderStrategy: [CapacityProviderStrategyItem]?
  var networkConfiguration: NetworkConfiguration?
  /// Makes retries safe: ECS starts no second set of tasks for a request with a known token.
  var clientToken: String
}

struct StopTaskInput: Encodable {
  var cluster: String?
  var task: String
  var reason: String?
}

struct StopTaskOutput: Decodable {
  var task: ECSTask
}

/// The network of a task of the mode `awsvpc`, which has an interface of its own.
public struct TaskNetwork: Sendable, Equatable {
  /// Ids of subnets, 1–16.
  public var subnets: [String]
  /// Ids of security groups, at most 5; an empty list means the VPC's default group.
  public var securityGroups: [String]
  /// Whether the task gets a public address.
  public var assignsPublicIP: Bool

  /// Makes a network.
  public init(subnets: [String], securityGroups: [String] = [], assignsPublicIP: Bool = false) {
    self.subnets = subnets
    self.securityGroups = securityGroups
    self.assignsPublicIP = assignsPublicIP
  }
}

/// The network in RunTask's form.
struct NetworkConfiguration: Encodable {
  struct AWSVPC: Encodable {
    var subnets: [String]
    var securityGroups: [String]?
    var assignPublicIp: String
  }

  var awsvpcConfiguration: AWSVPC

  init(_ network: TaskNetwork) {
    awsvpcConfiguration = AWSVPC(
      subnets: network.subnets, securityGroups: network.securityGroups.isEmpty ? nil : network.securityGroups,
      assignPublicIp: network.assignsPublicIP ? "ENABLED" : "DISABLED")
  }
}

/// The capacity provider in RunTask's form; all tasks use the one provider.
struct CapacityProviderStrategyItem: Encodable {
  var capacityProvider: String
}
