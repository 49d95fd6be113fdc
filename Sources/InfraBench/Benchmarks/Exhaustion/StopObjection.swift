/// Why no more of a service's tasks may be stopped.
enum StopObjection: Sendable, Equatable {
  /// The service is not what it was before the run.
  case changed(String)
  /// Nobody knows what it is: ECS could not be asked.
  case unreadable(String)

  /// In words.
  var reason: String {
    switch self {
    case .changed(let reason), .unreadable(let reason): reason
    }
  }

  /// What results count an ended drain by.
  var errorKind: String {
    switch self {
    case .changed: "service_changed"
    case .unreadable: "service_unreadable"
    }
  }

  /// The same with what it has led to, which is said first: reasons of AWS are long.
  func leading(to consequence: String) -> StopObjection {
    switch self {
    case .changed(let reason): .changed("\(consequence): \(reason)")
    case .unreadable(let reason): .unreadable("\(consequence): \(reason)")
    }
  }
}
