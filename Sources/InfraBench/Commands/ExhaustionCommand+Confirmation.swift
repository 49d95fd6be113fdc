import AWS
import Transport

/// What a drain needs to be confirmed with, and what goes with one way to drain only.
extension ExhaustionCommand {
  func checkDrainConfirmation(_ target: TargetSettings, _ reader: inout OptionReader) {
    if confirmStop != nil { reader.problems.add("--confirm-stop", "it is for --drain-by stop-tasks: leave it out") }
    switch target.gateway {
    case .embedded:
      if !confirmDrain.isEmpty {
        reader.problems.add("--confirm-drain", "the embedded gateway needs none: leave it out, or give --gateway-url")
      }
    case .remote(let endpoint):
      checkDrainConfirmation(of: [endpoint] + (target.second.map { [$0.endpoint] } ?? []), &reader)
    }
  }

  private func checkDrainConfirmation(of gateways: [Endpoint], _ reader: inout OptionReader) {
    let hosts = gateways.map(\.host)
    func isConfirmed(_ host: String) -> Bool { confirmDrain.contains { $0.lowercased() == host.lowercased() } }
    let strange = confirmDrain.filter { name in !hosts.contains { $0.lowercased() == name.lowercased() } }
    for name in strange {
      let named = OptionReader.list(hosts.map { "'\($0)'" })
      reader.problems.add(
        "--confirm-drain",
        hosts.count == 1 ? "'\(name)' is not the gateway's host, \(named)" : "'\(name)' is no gateway's host, \(named)")
    }
    // With one gateway the other name was meant for it.
    if hosts.count == 1, !strange.isEmpty { return }
    var asked: Set<String> = []
    for gateway in gateways where !gateway.isLoopback && !isConfirmed(gateway.host) {
      guard asked.insert(gateway.host.lowercased()).inserted else { continue }
      reader.problems.addUnconfirmedDrain(of: gateway.host)
    }
  }

  /// What is not the gateways' own to be drained or watched can be told for one pool only.
  func refuseSecondGateway(of drainBy: ExhaustionBenchmark.DrainBy, _ ecs: ECSSettings?, _ reader: inout OptionReader) {
    guard target.abGatewayURL != nil else { return }
    if drainBy == .stopTasks {
      reader.refuse("--ab-gateway-url", "stop-tasks drains through ECS, not through gateways: leave one of them out")
    } else if let ecs {
      reader.refuse(
        "--ab-gateway-url", "one pool's ECS says nothing about another gateway's: leave it out, or \(ecs.remedy)")
    }
  }

  /// Stopping tasks ends the sessions on them: whose they are must be said twice.
  func checkStopConfirmation(_ ecs: ECSSettings?, hasGatewayURL: Bool, _ reader: inout OptionReader) {
    guard let ecs else {
      if hasGatewayURL {
        reader.problems.add("--drain-by", "tasks are stopped through ECS: give --cluster and --service")
      } else if confirmStop != nil {
        reader.problems.add("--confirm-stop", "the embedded gateway needs none: leave it out, or give --service")
      }
      return
    }
    guard let name = ecs.poolName, !name.isEmpty else {
      return reader.problems.add(
        "--service", "stop-tasks ends tasks: say which with --service, --family or --started-by")
    }
    if let confirmStop, confirmStop != name {
      reader.problems.add("--confirm-stop", "'\(confirmStop)' is not '\(name)', whose tasks would be stopped")
    } else if confirmStop == nil {
      reader.problems.add(
        "--confirm-stop",
        "stopping tasks ends their users' sessions: confirm it with --confirm-stop \(name) (what somebody changes of a "
          + "service's desiredCount meanwhile stays so, unless --restore-desired-count is given)")
    }
    if restoreDesiredCount, ecs.filter.serviceName == nil {
      reader.problems.add(
        "--restore-desired-count", "only a service has a desiredCount: give --service, or leave it out")
    }
  }

  func refuseGatewayDrainOptions(_ reader: inout OptionReader) {
    let given = [
      ("--release", release != nil), ("--no-cold-fallback", noColdFallback), ("--confirm-drain", !confirmDrain.isEmpty),
      ("--user-id", userID != nil),
    ]
    for (option, isGiven) in given where isGiven {
      reader.problems.add(option, "it is for --drain-by acquire: leave it out")
    }
  }

  func refuseEmbeddedGatewayOptions(_ reader: inout OptionReader) {
    let given = [
      ("--pool-size", target.poolSize), ("--max-tasks", target.maxTasks),
      ("--task-start-delay", target.taskStartDelay),
    ]
    for (option, value) in given where value != nil {
      reader.problems.add(option, "it is for the embedded gateway, and with ECS options none is started: leave it out")
    }
  }
}
