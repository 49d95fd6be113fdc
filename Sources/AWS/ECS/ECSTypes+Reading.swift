// How ECS's answers are read: see `FieldReading.swift` for what is needed of them.

extension ECSTask {
  enum CodingKeys: CodingKey {
    case taskArn, lastStatus, desiredStatus, group, taskDefinitionArn, startedBy, createdAt, pullStartedAt,
      pullStoppedAt
    case startedAt, stoppingAt, stoppedAt, stoppedReason
  }

  /// Reads a task; `taskArn` and `lastStatus` are needed.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    taskArn = try fields.decode(String.self, forKey: .taskArn)
    lastStatus = try fields.decode(String.self, forKey: .lastStatus)
    desiredStatus = fields.readable(.desiredStatus)
    group = fields.identity(.group)
    taskDefinitionArn = fields.identity(.taskDefinitionArn)
    startedBy = fields.identity(.startedBy)
    createdAt = fields.readable(.createdAt)
    pullStartedAt = fields.readable(.pullStartedAt)
    pullStoppedAt = fields.readable(.pullStoppedAt)
    startedAt = fields.readable(.startedAt)
    stoppingAt = fields.readable(.stoppingAt)
    stoppedAt = fields.readable(.stoppedAt)
    stoppedReason = fields.readable(.stoppedReason)
  }
}

extension ECSService.Deployment {
  enum CodingKeys: CodingKey { case id, status }

  /// Reads what is there as text.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    id = fields.readable(.id)
    status = fields.readable(.status)
  }
}

extension ECSService {
  enum CodingKeys: CodingKey {
    case serviceArn, serviceName, status, desiredCount, runningCount, pendingCount, deployments
  }

  /// Reads a service; `desiredCount` is needed.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    serviceArn = fields.readable(.serviceArn)
    serviceName = fields.readable(.serviceName)
    status = fields.readable(.status)
    desiredCount = try fields.decode(Int.self, forKey: .desiredCount)
    runningCount = fields.readable(.runningCount)
    pendingCount = fields.readable(.pendingCount)
    deployments = fields.readableList(.deployments)
  }
}

extension ECSFailure {
  enum CodingKeys: CodingKey { case arn, reason, detail }

  /// Reads what is there as text.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    arn = fields.readable(.arn)
    reason = fields.readable(.reason)
    detail = fields.readable(.detail)
  }
}
