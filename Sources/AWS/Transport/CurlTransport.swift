import CLibcurl
import Synchronization

/// HTTP over libcurl on one permanent thread of its own; never blocks a thread of Swift's pool.
///
/// Connections are kept alive and reused. Redirects are not followed, TLS certificates are verified. The thread ends when
/// the last reference to the transport goes; transfers then still under way end with `shutDown`.
public final class CurlTransport: HTTPTransport {
  /// Bounds and trust of a transport.
  public struct Options: Sendable {
    /// A file of trusted certificates in PEM (`AWS_CA_BUNDLE`); `nil` takes the system's.
    public var certificateBundle: String?
    /// Bound of name look-up, TCP and TLS together, in ms.
    public var connectTimeoutMilliseconds: Int
    /// Bound of a whole exchange, in ms.
    public var timeoutMilliseconds: Int
    /// Bound of an answer's body, in bytes.
    public var maximumBodyBytes: Int

    /// Makes options.
    public init(
      certificateBundle: String? = nil, connectTimeoutMilliseconds: Int = 5_000, timeoutMilliseconds: Int = 30_000,
      maximumBodyBytes: Int = 8 << 20
    ) {
      self.certificateBundle = certificateBundle
      self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
      self.timeoutMilliseconds = timeoutMilliseconds
      self.maximumBodyBytes = maximumBodyBytes
    }
  }

  private let options: Options
  private let queue: CurlCommandQueue
  private let nextID = Atomic<UInt64>(1)

  /// Starts the thread.
  ///
  /// - Throws: ``TransferError`` `other` where libcurl or the thread cannot be started.
  public init(options: Options = Options()) throws(TransferError) {
    self.options = options
    queue = try CurlThread.start()
  }

  deinit { queue.post(.shutDown) }

  /// Sends one request and waits for its whole answer; see ``HTTPTransport``.
  public func send(_ request: HTTPRequest) async throws(TransferError) -> HTTPResponse {
    do throws(TransferError) {
      return try await transfer(request)
    } catch {
      guard error.needsNames else { throw error }
      // Only now: reading certificates takes time, which would be in every measured handshake.
      do throws(TransferError) {
        _ = try await transfer(request, readsCertificate: true)
      } catch let named where named.code == .tls {
        throw named
      } catch {}
      throw error
    }
  }

  private func transfer(
    _ request: HTTPRequest, readsCertificate: Bool = false
  ) async throws(TransferError) -> HTTPResponse {
    let id = nextID.add(1, ordering: .relaxed).oldValue
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Result<HTTPResponse, TransferError>, Never>) in
        let transfer = CurlTransfer(
          id: id, request: request, options: options, readsCertificate: readsCertificate, continuation: continuation)
        queue.post(.start(transfer))
        // The handler below may have run before the transfer was known to the thread.
        if Task.isCancelled { queue.post(.cancel(id)) }
      }
    } onCancel: {
      queue.post(.cancel(id))
    }
    return try result.get()
  }
}
