/// Plans by name: what goes wrong together in the field. `docs/faults.md` has them as a table.
///
/// A preset plays until it is removed. Faults that no client can outlive (`ecs-access-denied`) or that hide a task for
/// good (`ecs-task-vanishes`) are in none.
enum FaultPreset: String, CaseIterable {
  case taskDeath = "task-death"
  case readyRace = "ready-race"
  case gatewayStall = "gateway-stall"
  case startStorm = "start-storm"
  case awsThrottle = "aws-throttle"
  case reconnectStorm = "reconnect-storm"
  case all

  /// The preset's faults, as they would be written.
  var specification: String {
    switch self {
    case .taskDeath:
      "task-dies-warm:rate=1/s; task-dies-in-use:rate=1/s; socket-breaks:on=warm,rate=0.5/s; "
        + "socket-half-closes:on=warm,rate=0.2/s"
    case .readyRace:
      "task-dies-assigned:p=0.1; socket-breaks:on=assigned,p=0.05; socket-half-closes:on=assigned,p=0.05; "
        + "never-ready:p=0.02; slow-init:p=0.2,delay=300ms"
    case .gatewayStall: "answer-stall:after=1s,for=1s,every=5s"
    case .startStorm: "start-fails:p=0.2,streak=3"
    case .awsThrottle: "ecs-throttling:p=0.3; ecs-task-flickers:p=0.1"
    case .reconnectStorm:
      "socket-breaks:on=in-use,rate=1/s; old-session-lingers:p=0.5,hold=1s; restart-stops-new:p=0.05; "
        + "answer-reset:on=session,p=0.05"
    case .all:
      // Rarer than in the presets by themselves: together they leave no task alive for long.
      "task-dies-warm:rate=0.3/s; task-dies-in-use:rate=0.3/s; socket-breaks:on=warm,rate=0.2/s; "
        + "socket-half-closes:on=warm,rate=0.1/s; task-dies-assigned:p=0.05; socket-breaks:on=assigned,p=0.03; "
        + "socket-half-closes:on=assigned,p=0.03; never-ready:p=0.01; slow-init:p=0.1,delay=300ms; "
        + "answer-stall:after=2s,for=1s,every=10s; start-fails:p=0.1,streak=2; ecs-throttling:p=0.1; "
        + "ecs-task-flickers:p=0.1; socket-breaks:on=in-use,rate=0.3/s; old-session-lingers:p=0.3,hold=1s; "
        + "restart-stops-new:p=0.03; answer-slow:p=0.05,delay=200ms; answer-5xx:on=acquire+release,p=0.02; "
        + "answer-reset:on=acquire+release+session,p=0.02; answer-half-close:on=acquire,p=0.01; "
        + "answer-truncated:on=acquire+release,p=0.01; answer-invalid-json:on=acquire+release,p=0.01; "
        + "answer-oversized:on=acquire,p=0.01"
    }
  }
}
