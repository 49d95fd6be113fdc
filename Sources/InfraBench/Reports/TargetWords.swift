extension ResultDocument.Target {
  /// What was measured, for people: `remote https://gw.example, profile my-gateway`. The profile is named where it is known.
  var words: String {
    let place = directory ?? gatewayUrl ?? ecsEndpointUrl ?? ""
    return "\(kind) \(place)" + (profile.map { ", profile \($0)" } ?? "")
  }
}

extension ResultDocument {
  /// The profile by which the gateway was spoken to, where somebody had said which; one that was found out follows from the
  /// target.
  var givenProfile: String? {
    guard case .string(let name)? = parameters["gatewayProfile"] else { return nil }
    return name
  }
}
