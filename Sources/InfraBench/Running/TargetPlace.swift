import LoadEngine
import Transport

extension ResultDocument.Target {
  /// Whether the target was spoken to as a gateway; else it was a file system, or ECS alone.
  var isGateway: Bool { gatewayUrl != nil }

  /// Where the target is, as far as its name tells.
  var place: GeneratorConditions.TargetPlace {
    if kind == "embedded" { return .ownChild }
    guard let url = gatewayUrl ?? ecsEndpointUrl, let endpoint = try? Endpoint(parsing: url) else { return .elsewhere }
    return endpoint.isLoopback ? .loopback : .elsewhere
  }
}
