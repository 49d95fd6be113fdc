import Synchronization

/// What fetching credentials needs of the world; made anew for each renewal.
struct CredentialContext: Sendable {
  /// Of this process, as it is: `credential_process` inherits it.
  var environment: [String: String]
  var files: SharedFiles
  /// Clock, sleep, randomness, warnings.
  var calls: CallEnvironment
  var transport: any HTTPTransport
  /// The region and endpoint of STS.
  var region: String
  var stsEndpoint: ServiceEndpoint
  /// Bound of a `credential_process`.
  var processTimeoutMilliseconds = 60_000
}

/// A transport that is made when it is first needed: most credentials need none, and each has a thread.
final class LazyTransport: HTTPTransport {
  private let certificateBundle: String?
  private let transport = Mutex<(any HTTPTransport)?>(nil)

  init(certificateBundle: String?) { self.certificateBundle = certificateBundle }

  func send(_ request: HTTPRequest) async throws(TransferError) -> HTTPResponse {
    let made: Result<any HTTPTransport, TransferError> = transport.withLock { transport in
      Result { () throws(TransferError) in
        if let transport { return transport }
        let new = try CurlTransport(options: .init(certificateBundle: certificateBundle, maximumBodyBytes: 1 << 20))
        transport = new
        return new
      }
    }
    return try await made.get().send(request)
  }
}
