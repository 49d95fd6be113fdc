import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import ProcessControl

extension WebSocketError {
  /// What a failed connect means.
  init(ofConnect error: any Error) {
    switch error {
    case let error as WebSocketError: self = error
    case ChannelError.connectTimeout(let bound): self = .timeout(nanoseconds: UInt64(max(0, bound.nanoseconds)))
    case let error as NIOConnectionError where error.connectionErrors.isEmpty:
      self = FileDescriptorLimit.isReached ? .cancelled : .unreachable("the name '\(error.host)' could not be resolved")
    case let error as NIOConnectionError:
      let target = "\(error.host):\(error.port)"
      // "localhost" is tried as ::1 and as 127.0.0.1: refused by all is refused, anything else says more.
      let other = error.connectionErrors.first { ($0.error as? IOError)?.errnoCode != ECONNREFUSED }
      if let failure = other?.error as? IOError, TransportError.isOfDescriptors(failure) {
        self = .cancelled
        return
      }
      self = other.map { .unreachable("\(target): \($0.error)") } ?? .refused(target)
    case let error as IOError where error.errnoCode == ECONNREFUSED: self = .refused("the server")
    case let error as IOError where TransportError.isOfDescriptors(error): self = .cancelled
    case let failure as TLSFailure: self = .tls(failure.description)
    default: self = .unreachable(String(describing: error))
    }
  }

  /// What a failure between the connect and the 101 means.
  init(ofUpgrade error: any Error) {
    switch error {
    case let error as NIOHTTPClientUpgradeError where error == .upgraderDeniedUpgrade:
      self = .protocolViolation("the answer to the upgrade has a wrong Sec-WebSocket-Accept, or asks for an extension")
    case let error as NIOHTTPClientUpgradeError where error == .responseProtocolNotFound:
      self = .protocolViolation("the server upgrades to another protocol than WebSocket")
    case is NIOHTTPClientUpgradeError, is HTTPParserError:
      self = .protocolViolation("the answer to the upgrade is no valid HTTP: \(error)")
    case ChannelError.inappropriateOperationForState:
      // The upgrade handler's word for a connection that ended before an answer.
      self = .unreachable("the server closed the connection without an answer")
    default: self.init(ofConnect: error)
    }
  }
}
