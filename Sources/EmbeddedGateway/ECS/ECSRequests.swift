/// Bodies of the requests; field names as in ECS's API reference. What ECS requires is optional here all the same, so that
/// its absence gets ECS's own error instead of a parser's.
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
