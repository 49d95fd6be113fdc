import FoundationEssentials
import Gateway
import Latency
import NIOCore

/// The gateway without its wire: the pool, and the carrying out of what it decides. Confined to one event loop.
///
/// Every event goes through ``apply(_:)``; what an action sets off in turn is queued behind the actions already decided.
final class GatewayCore {
  let loop: any EventLoop
  let configuration: GatewayConfiguration
  let runner: any TaskRunner
  /// `ws://host:port` for tasks, known once the server listens.
  var webSocketURL = ""

  var pool: PoolStateMachine
  var ledger: FleetLedger
  var records: [TaskID: TaskRecord] = [:]
  var acquisitions: [RequestID: Acquisition] = [:]
  var requestCount: RequestID = 0
  /// Counts acquires for the fault plan.
  var acquireCount = 0
  /// Counts starts for the fault plan.
  var startCount = 0
  /// The task handed out last, for the fault `duplicate`.
  var lastAssigned: TaskID?
  var httpDate = HTTPDate()
  /// With the product's profile.
  private(set) var product: ProductSessions?
  /// Whether the workspace was there at the start: looking again would block the loop, on a network file system for long.
  private(set) var isWorkspaceMounted = false
  /// What a task writes into its user's `token.json`.
  let userToken: String

  private var actions: [PoolAction] = []
  private var isPerforming = false
  private var timer: (due: UInt64, scheduled: Scheduled<Void>)?

  init(configuration: GatewayConfiguration, runner: any TaskRunner, loop: any EventLoop) {
    self.configuration = configuration
    self.runner = runner
    self.loop = loop
    var rules = configuration.rules
    rules.startTimeout += configuration.taskStartDelay
    pool = PoolStateMachine(rules: rules, makeTaskID: { RandomText.hex(digits: 32) })
    let service = FleetService(
      clusterName: "embedded", name: "warm-pool", family: "ai-shell",
      deploymentID: "ecs-svc/" + RandomText.digits(19), desiredCount: configuration.rules.targetSize,
      createdAt: WallClock.now())
    ledger = FleetLedger(service: service, startDelay: Double(configuration.taskStartDelay) / 1e9)
    userToken = RandomText.hex(digits: 64)
    product = configuration.product.map { ProductSessions(profile: $0, core: self) }
  }

  /// What a request means in the profile that is served.
  func route(method: String, uri: String) -> GatewayRoute {
    product == nil ? GatewayRoute(method: method, uri: uri) : .product(method: method, uri: uri)
  }

  /// Fills the pool for the first time.
  func start() {
    isWorkspaceMounted = FileManager.default.fileExists(atPath: configuration.workspaceRoot)
    apply(pool.tick(now: MonotonicClock.now()))
  }

  /// Carries out what the pool decided, and sees to the pool's next deadline.
  func apply(_ decided: [PoolAction]) {
    actions.append(contentsOf: decided)
    guard !isPerforming else { return }
    isPerforming = true
    var next = 0
    while next < actions.count {
      perform(actions[next])
      next += 1
    }
    actions.removeAll(keepingCapacity: true)
    isPerforming = false
    armTimer()
  }

  private func perform(_ action: PoolAction) {
    switch action {
    case .start(let id): scheduleStart(id)
    case .stop(let id): endTask(id)
    case .assign(let id, let request, let source): assign(id, to: request, source)
    case .ready(let id, let request): confirm(id, request)
    case .miss(let request): finish(request) { .missed }
    case .fail(let request, let failure): fail(request, failure)
    case .lost(_, let request, let failure): finish(request) { .lost(failure) }
    }
  }

  private func armTimer() {
    guard let due = pool.dueAt else { return }
    if let timer {
      guard due < timer.due else { return }
      timer.scheduled.cancel()
    }
    let scheduled = loop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(due)) { [weak self] in
      guard let self else { return }
      timer = nil
      apply(pool.tick(now: MonotonicClock.now()))
    }
    timer = (due, scheduled)
  }

  /// The end: no more timers, everyone is told, all tasks begin to stop.
  func shutDown() {
    apply(pool.shutDown())
    product?.stop()
    timer?.scheduled.cancel()
    timer = nil
  }

  /// Ends a request and tells its owner; nothing if it has ended already.
  func finish(_ request: RequestID, _ outcome: () -> Acquisition.Outcome) {
    guard let acquisition = acquisitions.removeValue(forKey: request) else { return }
    acquisition.report(acquisition, outcome())
  }

  func taskARN(_ id: TaskID) -> String { ledger.service.taskARN(id: id) }

  func log(_ event: @autoclosure () -> LifecycleEvent) { log(event) }

  /// Writes the event that `make` makes, which it doesn't if nobody listens.
  func log(_ make: () -> LifecycleEvent) {
    guard let sink = configuration.lifecycleSink else { return }
    sink(make().text)
  }
}

/// Random ids, as ECS makes them.
enum RandomText {
  static func hex(digits count: Int) -> String { pick(count, of: Array("0123456789abcdef".utf8)) }

  static func digits(_ count: Int) -> String { pick(count, of: Array("123456789".utf8)) }

  private static func pick(_ count: Int, of alphabet: [UInt8]) -> String {
    var generator = SystemRandomNumberGenerator()
    let bytes = (0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
    return String(decoding: bytes, as: UTF8.self)
  }
}
