import NIOCore

/// The pool as the ECS-compatible endpoint sees it.
struct PoolFleet: TaskFleet {
  private let core: NIOLoopBound<GatewayCore>
  private let loop: any EventLoop
  /// The answer once the gateway has ended.
  private let emptyService: FleetService

  init(core: GatewayCore) {
    self.core = NIOLoopBound(core, eventLoop: core.loop)
    loop = core.loop
    emptyService = core.ledger.service
  }

  func tasks() async -> [FleetTask] {
    await onLoop { $0.ledger.tasks(at: WallClock.now()) } ?? []
  }

  func service() async -> FleetService {
    await onLoop { $0.fleetService() } ?? emptyService
  }

  func stopTask(id: String, reason: String) async -> FleetTask? {
    await onLoop { $0.stopTask(id, reason: reason) } ?? nil
  }

  func runTasks(count: Int, startedBy: String, group: String) async -> [FleetTask] {
    await onLoop { $0.runTasks(count: count, mark: (startedBy, group)) } ?? []
  }

  func setDesiredCount(_ count: Int) async -> FleetService? {
    await onLoop { $0.setTarget(count) } ?? emptyService
  }

  private func onLoop<Value: Sendable>(_ body: @escaping @Sendable (GatewayCore) -> Value) async -> Value? {
    try? await loop.submit { [core] in body(core.value) }.get()
  }
}
