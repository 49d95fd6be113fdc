import AWS
import Latency

/// A client of the pool's ECS, with the filter for the pool's tasks.
struct ECSConnection: Sendable {
  let client: ECSClient
  let filter: TaskFilter
  /// The URL that requests are sent to.
  let endpointURL: String
  /// The region that requests are signed for.
  let region: String
  /// The options that make the AWS CLI use the same pool, such as ` --cluster stage --region eu-west-1`; for commands
  /// that are shown to people.
  let cliOptions: String

  /// Resolves how ECS is reached; nothing is sent.
  ///
  /// - Parameter timeout: the bound of one call, rounded up to whole ms; nil: the transport's own.
  /// - Throws: when no region, no key or no libcurl is found.
  static func open(
    _ settings: ECSSettings, environment: [String: String], bench: RunContext, timeout: Nanoseconds? = nil
  ) throws(BenchmarkFailure) -> ECSConnection {
    do {
      let calls = CallEnvironment.system(warn: { bench.note($0) })
      let configuration = try AWSConfiguration.resolve(flags: settings.flags, environment: environment, calls: calls)
      var options = CurlTransport.Options(certificateBundle: configuration.certificateBundle)
      if let timeout {
        // libcurl counts whole milliseconds, and takes 0 for no bound.
        let whole: Nanoseconds = .milliseconds((timeout + .nanoseconds(999_999)) / .milliseconds(1))
        (options.timeout, options.connectTimeout) = (whole, whole)
      }
      let transport = try CurlTransport(options: options)
      return ECSConnection(
        client: ECSClient(configuration: configuration, transport: transport, environment: calls),
        filter: settings.filter, endpointURL: configuration.ecsEndpoint.url,
        region: configuration.region,
        cliOptions: settings.cliOptions(region: configuration.region))
    } catch {
      throw BenchmarkFailure("ECS cannot be reached: \(error)")
    }
  }

  /// A client of the embedded gateway's own ECS endpoint. The environment is ignored, as it describes a real ECS.
  static func open(
    embedded access: ECSAccess, bench: RunContext, timeout: Nanoseconds? = nil
  ) throws(BenchmarkFailure) -> ECSConnection {
    try open(ECSSettings(access), environment: [:], bench: bench, timeout: timeout)
  }
}

extension ECSSettings {
  /// Options for what was given as a flag: the environment has the same effect on the AWS CLI.
  fileprivate func cliOptions(region: String) -> String {
    let options = [
      ("cluster", filter.cluster), ("region", region), ("profile", flags.profile),
      ("endpoint-url", flags.ecsEndpointURL),
    ]
    return options.map { name, value in value.map { " --\(name) \(Self.shellWord($0))" } ?? "" }.joined()
  }

  private static func shellWord(_ text: String) -> String {
    let isPlain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._:/@+-".contains($0)) }
    return isPlain ? text : "'\(text.replacing("'", with: "'\\''"))'"
  }
}

/// An ECS endpoint's URL and key, and the names of its pool.
package struct ECSAccess: Sendable {
  /// A key pair. Its secret is never printed or stored.
  package struct Key: Sendable, CustomStringConvertible {
    package var id: String
    package var secret: String

    /// A random pair for an embedded gateway, which lives only as long as this process.
    package static func random() -> Key {
      let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
      func text(_ length: Int) -> String {
        String((0..<length).map { _ in letters[Int.random(in: 0..<letters.count)] })
      }
      return Key(id: "AKIA" + text(16), secret: text(40))
    }

    /// The id without the secret.
    package var description: String { id }
  }

  package var endpointURL: String
  package var key: Key
  package var cluster: String?
  package var service: String?
  /// The task definition that RunTask takes at this endpoint.
  package var taskDefinition: String?
  package var region: String?
}
