/// Bodies of the requests; field names as in ECS's API reference. Fields that ECS requires are optional here, so that a
/// missing one gets ECS's own error and not a parser's.
enum ECSRequests {
  struct ListTasks: Decodable {
    var cluster: String?
    var containerInstance: String?
    var family: String?
    var nextToken: String?
    var maxResults: Int?
    var startedBy: String?
    var serviceName: String?
    var desiredStatus: String?
    var launchType: String?
  }

  struct DescribeTasks: Decodable {
    var cluster: String?
    var tasks: [String]?
  }

  struct RunTask: Decodable {
    struct CapacityProvider: Decodable {
      var capacityProvider: String?
    }

    struct Network: Decodable {
      struct AWSVPC: Decodable {
        var subnets: [String]?
        var securityGroups: [String]?
        var assignPublicIp: String?
      }

      var awsvpcConfiguration: AWSVPC?
    }

    var cluster: String?
    var taskDefinition: String?
    var count: Int?
    var startedBy: String?
    var group: String?
    var launchType: String?
    var capacityProviderStrategy: [CapacityProvider]?
    var networkConfiguration: Network?
  }

  struct StopTask: Decodable {
    var cluster: String?
    var task: String?
    var reason: String?
  }

  struct DescribeServices: Decodable {
    var cluster: String?
    var services: [String]?
  }

  struct UpdateService: Decodable {
    var cluster: String?
    var service: String?
    var desiredCount: Int?
  }
}

/// Bodies of the answers; field names as in ECS's API reference, instants as seconds since 1970 with a fraction.
enum ECSAnswers {
  static let launchType = "FARGATE"

  struct TaskARNs: Encodable {
    var taskArns: [String]
    var nextToken: String?
  }

  struct Tasks: Encodable {
    var tasks: [Task]
    var failures: [Failure]
  }

  struct OneTask: Encodable {
    var task: Task
  }

  struct Services: Encodable {
    var services: [Service]
    var failures: [Failure]
  }

  struct OneService: Encodable {
    var service: Service
  }

  struct Failure: Encodable {
    var arn: String
    var reason: String
  }

  struct Task: Encodable {
    var taskArn: String
    var clusterArn: String
    var taskDefinitionArn: String
    var lastStatus: String
    var desiredStatus: String
    var launchType: String
    var group: String
    var startedBy: String?
    var createdAt: Double?
    var pullStartedAt: Double?
    var pullStoppedAt: Double?
    var startedAt: Double?
    var stoppingAt: Double?
    var stoppedAt: Double?
    var stoppedReason: String?
    var containers: [String] = []

    init(_ task: FleetTask, of service: FleetService) {
      taskArn = task.arn
      clusterArn = service.clusterARN
      taskDefinitionArn = service.taskDefinitionARN
      lastStatus = task.lastStatus.rawValue
      desiredStatus = task.desiredStatus.rawValue
      launchType = ECSAnswers.launchType
      group = task.group
      startedBy = task.startedBy.isEmpty ? nil : task.startedBy
      createdAt = task.createdAt
      pullStartedAt = task.pullStartedAt
      pullStoppedAt = task.pullStoppedAt
      startedAt = task.startedAt
      stoppingAt = task.stoppingAt
      stoppedAt = task.stoppedAt
      stoppedReason = task.stoppedReason.isEmpty ? nil : task.stoppedReason
    }
  }

  struct Service: Encodable {
    var serviceArn: String
    var serviceName: String
    var clusterArn: String
    var taskDefinition: String
    var status = "ACTIVE"
    var launchType: String
    var desiredCount: Int
    var runningCount: Int
    var pendingCount: Int
    var createdAt: Double
    var deployments: [Deployment]

    init(_ service: FleetService) {
      serviceArn = service.arn
      serviceName = service.name
      clusterArn = service.clusterARN
      taskDefinition = service.taskDefinitionARN
      launchType = ECSAnswers.launchType
      desiredCount = service.desiredCount
      runningCount = service.runningCount
      pendingCount = service.pendingCount
      createdAt = service.createdAt
      deployments = [Deployment(service)]
    }
  }

  struct Deployment: Encodable {
    var id: String
    var status = "PRIMARY"
    var taskDefinition: String
    var launchType: String
    var desiredCount: Int
    var runningCount: Int
    var pendingCount: Int
    var createdAt: Double
    var updatedAt: Double

    init(_ service: FleetService) {
      id = service.deploymentID
      taskDefinition = service.taskDefinitionARN
      launchType = ECSAnswers.launchType
      desiredCount = service.desiredCount
      runningCount = service.runningCount
      pendingCount = service.pendingCount
      createdAt = service.createdAt
      updatedAt = service.createdAt
    }
  }
}

extension FleetService {
  fileprivate var taskDefinitionARN: String { "arn:aws:ecs:\(region):\(accountID):task-definition/\(family):1" }
}
