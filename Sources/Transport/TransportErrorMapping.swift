import NIOCore
import NIOPosix
import ProcessControl

extension TransportError {
  /// The error of an attempt to connect.
  static func connecting(_ error: any Error, to endpoint: Endpoint) -> TransportError {
    let place = "\(endpoint.host):\(endpoint.port)"
    switch error {
    case let error as TransportError:
      return error
    case let error as NIOConnectionError:
      guard let first = error.connectionErrors.first else { return unresolved(endpoint) }
      return connecting(first.error, to: endpoint)
    case is SocketAddressError, is SocketAddressError.FailedToParseIPByteBuffer:
      return unresolved(endpoint)
    case let error as ChannelError:
      if case .connectTimeout = error { return TransportError(.connectTimeout, "no connection to \(place) in time") }
      return TransportError(.connectFailed, "\(place): \(error)")
    case let error as IOError where isOfDescriptors(error):
      return outOfDescriptors
    case let error as IOError where error.errnoCode == ECONNREFUSED:
      return TransportError(.connectRefused, "nobody listens on \(place)")
    case let error as IOError where error.errnoCode == ECONNRESET:
      return TransportError(.reset, "\(place) reset the connection")
    case let failure as TLSFailure:
      return TransportError(.tls, "TLS with \(place) failed: \(failure)")
    default:
      return TransportError(.connectFailed, "\(place): \(error)")
    }
  }

  /// Looking a name up opens files: without one that may be open it finds nothing.
  private static func unresolved(_ endpoint: Endpoint) -> TransportError {
    FileDescriptorLimit.isReached ? outOfDescriptors : TransportError(.dns, "'\(endpoint.host)' has no address")
  }

  private static let outOfDescriptors = TransportError(.cancelled, "this process may have no more files open")

  /// The error of an established connection.
  static func established(_ error: any Error) -> TransportError {
    switch error {
    case let error as TransportError: error
    case let error as IOError where error.errnoCode == ECONNRESET || error.errnoCode == EPIPE:
      TransportError(.reset, "the peer reset the connection")
    case let failure as TLSFailure: TransportError(.tls, "TLS failed: \(failure)")
    default: TransportError(.closed, "the connection failed: \(error)")
    }
  }

  /// Whether this process has run out of file descriptors, which is no failure of the target; it is noted for the run.
  static func isOfDescriptors(_ error: IOError) -> Bool { FileDescriptorLimit.isExceeded(errno: error.errnoCode) }
}
