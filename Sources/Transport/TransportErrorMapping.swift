import NIOCore
import NIOPosix
import ProcessControl

extension TransportError {
  /// The error of a failed attempt to connect.
  static func connecting(_ error: any Error, to endpoint: Endpoint) -> TransportError {
    let place = "\(endpoint.host):\(endpoint.port)"
    switch error {
    case let error as TransportError:
      return error
    case let error as DialFailure:
      return error.telling.map { connecting($0, to: endpoint) }
        ?? connectTimeout(endpoint)
    case is UnresolvedHost:
      return unresolved(endpoint)
    case let error as ChannelError:
      if case .connectTimeout = error { return connectTimeout(endpoint) }
      return TransportError(.connectFailed, "\(place): \(error)")
    case let error as IOError where isOfDescriptors(error):
      return outOfDescriptors
    case let error as IOError where error.errnoCode == ECONNREFUSED:
      return TransportError(.connectRefused, "nobody listens on \(place)")
    case let error as IOError where error.errnoCode == ECONNRESET:
      return TransportError(.reset, "\(place) reset the connection")
    case let failure as TLSFailure:
      return TransportError(
        failure.isOfClientCertificate ? .clientCertificate : .tls, "TLS with \(place) failed: \(failure)")
    default:
      return TransportError(.connectFailed, "\(place): \(error)")
    }
  }

  static func connectTimeout(_ endpoint: Endpoint) -> TransportError {
    TransportError(.connectTimeout, "no connection to \(endpoint.host):\(endpoint.port) in time")
  }

  /// A name lookup opens files, so it finds no address when this process may open no more of them.
  private static func unresolved(_ endpoint: Endpoint) -> TransportError {
    FileDescriptorLimit.isReached ? outOfDescriptors : TransportError(.dns, "'\(endpoint.host)' has no address")
  }

  private static let outOfDescriptors = TransportError(.cancelled, "this process may have no more files open")

  /// The error of a failure on an established connection.
  static func established(_ error: any Error) -> TransportError {
    switch error {
    case let error as TransportError: error
    case let error as IOError where error.errnoCode == ECONNRESET || error.errnoCode == EPIPE:
      TransportError(.reset, "the peer reset the connection")
    case let failure as TLSFailure where failure.isEnd: TransportError(.closed, failure.description)
    case let failure as TLSFailure:
      TransportError(failure.isOfClientCertificate ? .clientCertificate : .tls, "TLS failed: \(failure)")
    default: TransportError(.closed, "the connection failed: \(error)")
    }
  }

  /// Whether this process has run out of file descriptors. That is no failure of the target; it is noted for the run.
  static func isOfDescriptors(_ error: IOError) -> Bool { FileDescriptorLimit.isExceeded(errno: error.errnoCode) }
}

extension DialFailure {
  /// The most telling error: the first that is not a refusal, else the first; nil if no address was tried.
  var telling: (any Error)? { errors.first { ($0 as? IOError)?.errnoCode != ECONNREFUSED } ?? errors.first }
}
