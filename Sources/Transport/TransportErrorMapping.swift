import NIOCore
import NIOPosix
import NIOSSL

extension TransportError {
  /// The error of an attempt to connect.
  static func connecting(_ error: any Error, to endpoint: Endpoint) -> TransportError {
    let place = "\(endpoint.host):\(endpoint.port)"
    switch error {
    case let error as TransportError:
      return error
    case let error as NIOConnectionError:
      guard let first = error.connectionErrors.first else {
        return TransportError(.dns, "'\(endpoint.host)' has no address")
      }
      return connecting(first.error, to: endpoint)
    case is SocketAddressError, is SocketAddressError.FailedToParseIPByteBuffer:
      return TransportError(.dns, "'\(endpoint.host)' has no address")
    case let error as ChannelError:
      if case .connectTimeout = error { return TransportError(.connectTimeout, "no connection to \(place) in time") }
      return TransportError(.connectFailed, "\(place): \(error)")
    case let error as IOError where error.errnoCode == ECONNREFUSED:
      return TransportError(.connectRefused, "nobody listens on \(place)")
    case let error as IOError where error.errnoCode == ECONNRESET:
      return TransportError(.reset, "\(place) reset the connection")
    case let error where isTLS(error):
      return TransportError(.tls, "TLS with \(place) failed: \(error)")
    default:
      return TransportError(.connectFailed, "\(place): \(error)")
    }
  }

  /// The error of an established connection.
  static func established(_ error: any Error) -> TransportError {
    switch error {
    case let error as TransportError: error
    case let error as IOError where error.errnoCode == ECONNRESET || error.errnoCode == EPIPE:
      TransportError(.reset, "the peer reset the connection")
    case let error where isTLS(error): TransportError(.tls, "TLS failed: \(error)")
    default: TransportError(.closed, "the connection failed: \(error)")
    }
  }

  private static func isTLS(_ error: any Error) -> Bool {
    error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError
  }
}
