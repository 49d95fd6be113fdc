/// The steps of a user's way, by which failures are counted.
enum EndToEndStep: String, CaseIterable, Sendable {
  case connect, acquire, initUser, ready, firstResponse

  /// The counter of this step's failures.
  var counterName: String {
    switch self {
    case .connect: "failed_connect"
    case .acquire: "failed_acquire"
    case .initUser: "failed_init_user"
    case .ready: "failed_ready"
    case .firstResponse: "failed_first_response"
    }
  }
}
