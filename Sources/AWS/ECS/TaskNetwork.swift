/// The network of a task of the mode `awsvpc`, which has an interface of its own.
public struct TaskNetwork: Sendable, Equatable {
  /// Ids of subnets, 1–16.
  public var subnets: [String]
  /// Ids of security groups, at most 5; none means the VPC's default one.
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

/// As RunTask is sent it.
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

/// As RunTask is sent it: all tasks of one provider.
struct CapacityProviderStrategyItem: Encodable {
  var capacityProvider: String
}
