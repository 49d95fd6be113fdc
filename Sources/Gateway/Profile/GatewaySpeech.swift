/// How each call of a gateway's REST side is made: by the profile's data, or by code that is made for the suite's own form of
/// the call, which spares a hot path the reading of templates and of trees.
package struct GatewaySpeech: Sendable, Equatable {
  /// One call.
  package enum Way<Role: Sendable & Equatable>: Sendable, Equatable {
    /// By the code for the suite's own form.
    case native
    /// By data.
    case by(Role)
    /// The gateway has no such call.
    case absent

    fileprivate init(_ role: Role?, native: Role?) {
      switch role {
      case nil: self = .absent
      case native: self = .native
      case let role?: self = .by(role)
      }
    }
  }

  package var status: Way<GatewayProfile.Status> = .native
  package var acquire: Way<GatewayProfile.Acquire> = .native
  package var release: Way<GatewayProfile.Release> = .native

  /// The suite's own form of each call.
  package init() {}

  /// As `profile` says; what it has in common with `native`, the profile that the code is made for, is done by that code.
  package init(_ profile: GatewayProfile, native: GatewayProfile) {
    status = Way(profile.status, native: native.status)
    acquire = Way(profile.acquire, native: native.acquire)
    release = Way(profile.release, native: native.release)
  }
}
