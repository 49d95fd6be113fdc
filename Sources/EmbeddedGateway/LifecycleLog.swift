import FoundationEssentials
import Gateway
import Glibc
import Latency
import NIOCore

/// One event in the life of a task or a session, in the product's log format (spec: domain, "Lifecycle log events").
struct LifecycleEvent {
  enum Phase: String {
    case sessionCreate = "session_create"
    case taskStart = "task_start"
    case taskPending = "task_pending"
    case taskConnect = "task_connect"
    case taskReady = "task_ready"
    case taskRestart = "task_restart"
    case disconnect = "ws_disconnect"
    case roundtrip = "message_roundtrip"
  }

  let phase: Phase
  /// The event's duration; only `ws_disconnect` has none.
  var duration: Nanoseconds?
  var sessionID: String?
  var userID: String?
  var taskARN: String?
  /// With `task_ready`: the phases.
  var breakdown: InitBreakdown?
  /// With `task_restart`: whether the user got a task that confirmed.
  var success: Bool?
  /// With `ws_disconnect`: `processing` while a line of the user had no answer, else `idle`.
  var processingState: String?
  /// With `ws_disconnect`: the reason.
  var reason: String?

  init(_ phase: Phase, duration: Nanoseconds? = nil) {
    self.phase = phase
    self.duration = duration
  }

  /// The event as one JSON object.
  var text: String {
    var object = JSONObject()
    object.add("event", "task_lifecycle")
    object.add("phase", phase.rawValue)
    object.add("timestamp", WallClock.iso8601(WallClock.now()))
    object.add("duration_ms", milliseconds: duration)
    object.add("sessionId", sessionID)
    object.add("userId", userID)
    object.add("taskArn", taskARN)
    if let breakdown { object.add("breakdown", JSONObject(breakdown)) }
    if let success { object.add("success", success) }
    object.add("processingState", processingState)
    object.add("reason", reason)
    return object.text
  }
}

extension JSONObject {
  init(_ breakdown: InitBreakdown) {
    self.init()
    add("init_user_ms", milliseconds: breakdown.initUserMs)
    add("workspace_ms", milliseconds: breakdown.workspaceMs)
    add("process_start_ms", milliseconds: breakdown.processStartMs)
  }
}

/// Time of day, used only for timestamps in documents.
enum WallClock {
  /// Seconds since 1970.
  static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// ISO 8601 in UTC with milliseconds.
  static func iso8601(_ seconds: Double) -> String {
    Date(timeIntervalSince1970: seconds).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }
}

/// The value of a `Date` header (RFC 9110, section 5.6.7), rendered once a second.
struct HTTPDate {
  private var second: time_t = -1
  private var text = ""

  private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  mutating func value() -> String {
    let now = time(nil)
    guard now != second else { return text }
    second = now
    text = Self.text(of: now)
    return text
  }

  /// The value for an instant in seconds since 1970.
  static func text(of instant: time_t) -> String {
    var instant = instant
    var parts = tm()
    gmtime_r(&instant, &parts)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let day = "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)])"
    return "\(day) \(parts.tm_year + 1900) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
  }
}
