import AWSClient
import AWSSignature

/// A client of the pool's ECS, and which of its tasks are meant.
struct ECSConnection: Sendable {
  let client: ECSClient
  let filter: TaskFilter
  let region: String
  /// As it was given.
  let profile: String?
  /// Where requests go.
  let endpointURL: String

  /// What tells the AWS CLI where this is, ` --cluster pool --region eu-west-1`.
  var commandLinePlace: String {
    (filter.cluster.map { " --cluster \($0)" } ?? "") + " --region \(region)"
      + (profile.map { " --profile \($0)" } ?? "")
  }

  /// Finds out how ECS is reached; nothing is sent. `timeout` is the bound of a call in ns, the transport's own unless given.
  ///
  /// - Throws: when there is no region, no key or no libcurl.
  static func open(
    _ settings: ECSSettings, environment: [String: String], bench: Bench, timeout: UInt64? = nil
  ) throws(BenchmarkFailure) -> ECSConnection {
    do {
      let calls = CallEnvironment.system(warn: { bench.note($0) })
      let configuration = try AWSConfiguration.resolve(flags: settings.flags, environment: environment, calls: calls)
      var options = CurlTransport.Options(certificateBundle: configuration.certificateBundle)
      if let timeout { options.bound(milliseconds: Int((timeout + 999_999) / 1_000_000)) }
      let transport = try CurlTransport(options: options)
      return ECSConnection(
        client: ECSClient(configuration: configuration, transport: transport, environment: calls),
        filter: settings.filter, region: configuration.region, profile: settings.flags.profile,
        endpointURL: configuration.ecsEndpoint.url)
    } catch {
      throw BenchmarkFailure("ECS cannot be reached: \(error)")
    }
  }

  /// The embedded gateway's own ECS endpoint; the environment, which is about real ones, has no say in it.
  static func open(
    embedded access: ECSAccess, bench: Bench, timeout: UInt64? = nil
  ) throws(BenchmarkFailure) -> ECSConnection {
    try open(ECSSettings(access), environment: [:], bench: bench, timeout: timeout)
  }
}

extension CurlTransport.Options {
  fileprivate mutating func bound(milliseconds: Int) {
    timeoutMilliseconds = milliseconds
    connectTimeoutMilliseconds = min(connectTimeoutMilliseconds, milliseconds)
  }
}
