// What ECS is asked and what it answers; field names as in its API reference, version 2014-11-13.
// A field that an answer must have is not optional: an answer without it is not this operation's.

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

/// Of DescribeTasks and of RunTask.
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
  /// A retried request with the same token starts no second set of tasks.
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
