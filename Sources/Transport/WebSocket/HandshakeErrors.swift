import Glibc
import Latency
import NIOCore
import NIOHTTP1
import NIOPosix
import ProcessControl

extension WebSocketError {
  /// The error of a failed connect.
  init(ofConnect error: any Error, to endpoint: Endpoint) {
    switch error {
    case let error as WebSocketError: self = error
    case ChannelError.connectTimeout(let bound): self = .timeout(.nanoseconds(bound.nanoseconds))
    case is UnresolvedHost:
      self =
        FileDescriptorLimit.isReached
        ? .cancelled : .unresolved("the name '\(endpoint.host)' could not be resolved")
    case let error as DialFailure:
      guard let telling = error.telling else {
        self = .unreachable("\(endpoint.host):\(endpoint.port): no connection in time")
        return
      }
      self.init(ofConnect: telling, to: endpoint)
    case let error as IOError where error.errnoCode == ECONNREFUSED:
      self = .refused("\(endpoint.host):\(endpoint.port)")
    case let error as IOError where TransportError.isOfDescriptors(error): self = .cancelled
    case let failure as TLSFailure where failure.isOfClientCertificate: self = .clientCertificate(failure.description)
    case let failure as TLSFailure: self = .tls(failure.description)
    case let error as IOError:
      self = .unreachable("\(endpoint.host):\(endpoint.port): \(String(cString: strerror(error.errnoCode)))")
    default: self = .unreachable(String(describing: error))
    }
  }

  /// The error of a failure between the connect and the 101.
  init(ofUpgrade error: any Error, to endpoint: Endpoint) {
    switch error {
    case let error as NIOHTTPClientUpgradeError where error == .upgraderDeniedUpgrade:
      self = .protocolViolation("the answer to the upgrade has a wrong Sec-WebSocket-Accept, or asks for an extension")
    case let error as NIOHTTPClientUpgradeError where error == .responseProtocolNotFound:
      self = .protocolViolation("the server upgrades to another protocol than WebSocket")
    case is NIOHTTPClientUpgradeError, is HTTPParserError:
      self = .protocolViolation("the answer to the upgrade is no valid HTTP: \(error)")
    default: self.init(ofConnect: error, to: endpoint)
    }
  }
}
