import Gateway
import ProcessControl

/// The target of a ``SignalDraw``, started; it is asked afterwards what the run has left in it.
struct SignalTarget: Sendable {
  private let mock: MockGateway?
  private let ledger: LedgerGateway?
  /// The directory of `--root`, which holds nothing else.
  private let root: Scratch?
  private let warm: Int
  let options: [String]
  let environment: [String: String]

  private static let key = ["AKIAEXAMPLEOFTESTS", "secret-of-tests"]

  static func start(_ target: SignalDraw.Target, startsTasks: Bool) async throws -> SignalTarget {
    switch target {
    case .embedded: return SignalTarget()
    case .directory(let isGiven):
      guard isGiven else { return SignalTarget() }
      let root = try Scratch()
      return SignalTarget(root: root, options: ["--root", root.path])
    case .ledger(let rules):
      let gateway = try await LedgerGateway(rules)
      return SignalTarget(ledger: gateway, options: ["--gateway-url", gateway.url])
    case .mockGateway(let warm):
      let gateway = try await mock(warm: warm)
      let ecs = [
        "--ecs-endpoint-url", gateway.url, "--cluster", "embedded", "--region", "us-east-1", "--poll-interval", "20ms",
        "--force-poll-interval", "--task-definition", "ai-shell",
      ]
      return SignalTarget(
        mock: gateway, warm: warm, options: ["--gateway-url", gateway.url] + (startsTasks ? ecs : []),
        environment: credentials)
    case .mockECS:
      let gateway = try await mock(warm: 3)
      return SignalTarget(
        mock: gateway, warm: 3,
        options: [
          "--ecs-endpoint-url", gateway.url, "--cluster", "embedded", "--service", "warm-pool", "--region", "us-east-1",
        ],
        environment: credentials)
    }
  }

  private init(
    mock: MockGateway? = nil, ledger: LedgerGateway? = nil, root: Scratch? = nil, warm: Int = 0, options: [String] = [],
    environment: [String: String] = [:]
  ) {
    self.mock = mock
    self.ledger = ledger
    self.root = root
    self.warm = warm
    self.options = options
    self.environment = environment
  }

  /// How many requests it was sent, where that is known.
  var requestCount: Int { ledger?.requestCount ?? .max }

  /// How many tasks are still given out, or were started and run; nil where the target has ended with the tool.
  func heldTasks() async throws -> Int? {
    if let ledger { return ledger.held.count }
    guard let mock else { return nil }
    let status = try await mock.status()
    // A pool without warm tasks of its own has none but those that a run has started.
    return warm == 0 ? status.tasks?.count : status.assignedCount
  }

  /// Whether the pool is as full as it was.
  func isFull() async throws -> Bool {
    guard let mock else { return true }
    return try await mock.status().warmCount >= warm
  }

  /// What is left in the directory of `--root`.
  var directories: [String] { root?.names(in: "") ?? [] }

  func stop() async {
    await mock?.stop()
    await ledger?.stop()
  }

  private static func mock(warm: Int) async throws -> MockGateway {
    try await MockGateway.start(
      ["--virtual-tasks", "--pool-size", "\(warm)", "--max-size", "10", "--max-tasks", "20"], warm: warm,
      environment: ["INFRABENCH_ECS_ACCESS_KEY_ID": key[0], "INFRABENCH_ECS_SECRET_ACCESS_KEY": key[1]])
  }

  private static let credentials = [
    "AWS_ACCESS_KEY_ID": key[0], "AWS_SECRET_ACCESS_KEY": key[1], "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
    "CLUSTER": "", "SERVICE": "", "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_ECS": "",
  ]
}
