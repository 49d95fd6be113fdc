import CLibcurl
import Glibc
public import Latency
import Synchronization

/// HTTP over libcurl on one permanent thread; never blocks a thread of Swift's pool.
///
/// Connections are kept alive and reused. Redirects are not followed, and TLS certificates are verified. The thread
/// ends when the last reference to the transport goes; transfers that still run then end with `shutDown`.
public final class CurlTransport: HTTPTransport {
  /// Time-outs, size limit and trusted certificates of a transport.
  public struct Options: Sendable {
    /// A file of trusted certificates in PEM (`AWS_CA_BUNDLE`); `nil` takes the system's.
    public var certificateBundle: String?
    /// The time-out of name look-up, TCP and TLS together.
    public var connectTimeout: Nanoseconds
    /// The time-out of a whole exchange.
    public var timeout: Nanoseconds
    /// The largest body of an answer, in bytes.
    public var maximumBodyBytes: Int

    /// Makes options.
    public init(
      certificateBundle: String? = nil, connectTimeout: Nanoseconds = .seconds(5), timeout: Nanoseconds = .seconds(30),
      maximumBodyBytes: Int = 8 << 20
    ) {
      self.certificateBundle = certificateBundle
      self.connectTimeout = connectTimeout
      self.timeout = timeout
      self.maximumBodyBytes = maximumBodyBytes
    }
  }

  private let options: Options
  private let queue: CurlCommandQueue
  private let nextID = Atomic<UInt64>(1)

  /// Loads libcurl, unless that was done before. A program that is certain to need it calls this before it starts or
  /// writes anything.
  ///
  /// - Throws: ``TransferError`` `noLibrary`, which says what to install.
  public static func loadLibrary() throws(TransferError) {
    var reason: UnsafePointer<CChar>?
    let status = infrabench_curl_load(&reason)
    guard status != infrabench_curl_loaded else { return }
    throw TransferError.noLibrary(
      isTooOld: status == infrabench_curl_too_old, reason: reason.map { String(cString: $0) } ?? "")
  }

  /// Loads libcurl where that was not done before, and starts the thread.
  ///
  /// - Throws: ``TransferError`` `noLibrary`; `other` where libcurl or the thread cannot be started.
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
      // The certificate is read only after a failure: the time for it would be part of every measured handshake.
      do throws(TransferError) {
        _ = try await transfer(request, readsCertificate: true)
      } catch let named where named.kind == .tls {
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
        // The cancellation handler may have run before the thread knew the transfer.
        if Task.isCancelled { queue.post(.cancel(id)) }
      }
    } onCancel: {
      queue.post(.cancel(id))
    }
    return try result.get()
  }
}

/// The loop that owns libcurl: one multi handle and every running transfer. Only its thread touches them.
final class CurlThread {
  private let multi: UnsafeMutableRawPointer
  private let queue: CurlCommandQueue
  private var transfers: [UInt64: CurlTransfer] = [:]
  private var idsByHandle: [UnsafeMutableRawPointer: UInt64] = [:]

  /// One hour: a thread without transfers sleeps until a command wakes it.
  private static let idleWaitMilliseconds: Int32 = 3_600_000

  /// libcurl's global state, set up once for the process before any thread uses it.
  private static let globalInitialization = infrabench_curl_global_init(Int(CURL_GLOBAL_ALL))

  /// Starts a thread, and returns the queue of its commands.
  static func start() throws(TransferError) -> CurlCommandQueue {
    try CurlTransport.loadLibrary()
    guard globalInitialization == CURLE_OK, let multi = infrabench_curl_multi_init() else {
      throw TransferError(.other, "libcurl could not be initialized")
    }
    let loop = CurlThread(multi: multi)
    let queue = loop.queue
    let context = Unmanaged.passRetained(loop)
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<CurlThread>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context.toOpaque())
    guard status == 0 else {
      context.release()
      infrabench_curl_multi_cleanup(multi)
      throw TransferError(
        .other, "the thread of the HTTP transport could not be started: \(String(cString: strerror(status)))")
    }
    pthread_detach(thread)
    return queue
  }

  private init(multi: UnsafeMutableRawPointer) {
    self.multi = multi
    // The queue calls only curl_multi_wakeup on it, the one function that any thread may call.
    nonisolated(unsafe) let multi = multi
    queue = CurlCommandQueue(multi: multi)
  }

  private func run() {
    // With NOSIGNAL libcurl leaves SIGPIPE alone, and OpenSSL writes to sockets without MSG_NOSIGNAL. This thread
    // blocks SIGPIPE, so that a closed connection causes an error and does not end the process. Other threads handle
    // the other signals.
    var signals = sigset_t()
    sigfillset(&signals)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    while handleCommands() {
      var running: Int32 = 0
      infrabench_curl_multi_perform(multi, &running)
      finishCompleted()
      infrabench_curl_multi_poll(multi, CurlThread.idleWaitMilliseconds)
    }
    shutDown()
  }

  /// - Returns: whether the thread goes on.
  private func handleCommands() -> Bool {
    var goesOn = true
    for command in queue.take() {
      switch command {
      case .start(let transfer): start(transfer)
      case .cancel(let id):
        if let transfer = remove(id) { transfer.fail(TransferError(.cancelled, "the request was cancelled")) }
      case .shutDown: goesOn = false
      }
    }
    return goesOn
  }

  private func start(_ transfer: CurlTransfer) {
    do throws(TransferError) {
      let handle = try transfer.makeHandle()
      transfers[transfer.id] = transfer
      idsByHandle[handle] = transfer.id
      transfer.sentAt = MonotonicClock.now()
      let code = infrabench_curl_multi_add_handle(multi, handle)
      guard code == CURLM_OK else {
        _ = remove(transfer.id)
        throw TransferError(.other, String(cString: infrabench_curl_multi_strerror(code)))
      }
    } catch {
      transfer.fail(error)
    }
  }

  private func finishCompleted() {
    var remaining: Int32 = 0
    while let message = infrabench_curl_multi_info_read(multi, &remaining) {
      guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
      let answeredAt = MonotonicClock.now()
      let code = infrabench_curl_message_result(message)
      guard let id = idsByHandle[handle], let transfer = transfers[id] else { continue }
      let result = transfer.result(of: code, answeredAt: answeredAt)
      _ = remove(id)
      transfer.finish(result)
    }
  }

  private func remove(_ id: UInt64) -> CurlTransfer? {
    guard let transfer = transfers.removeValue(forKey: id) else { return nil }
    if let handle = transfer.handle {
      idsByHandle.removeValue(forKey: handle)
      infrabench_curl_multi_remove_handle(multi, handle)
    }
    transfer.freeHandle()
    return transfer
  }

  private func shutDown() {
    let error = TransferError(.shutDown, "the HTTP transport was shut down")
    for case .start(let transfer) in queue.close() { transfer.fail(error) }
    for id in Array(transfers.keys) { remove(id)?.fail(error) }
    infrabench_curl_multi_cleanup(multi)
  }
}

/// A command for the thread.
enum CurlCommand: Sendable {
  case start(CurlTransfer)
  case cancel(UInt64)
  case shutDown
}

/// Commands for the thread, posted by any other thread.
final class CurlCommandQueue: Sendable {
  private struct State {
    var commands: [CurlCommand] = []
    /// The thread's multi handle, used here only to wake the thread; `nil` once the thread has ended.
    nonisolated(unsafe) var multi: UnsafeMutableRawPointer?
  }

  private let state: Mutex<State>

  init(multi: sending UnsafeMutableRawPointer) {
    state = Mutex(State(multi: multi))
  }

  /// Adds a command and wakes the thread. After the thread's end a transfer fails at once, and other commands have no
  /// effect.
  func post(_ command: CurlCommand) {
    let accepted = state.withLock { state in
      guard let multi = state.multi else { return false }
      state.commands.append(command)
      // The wake-up is inside the lock: the thread takes the handle from here before it frees it.
      infrabench_curl_multi_wakeup(multi)
      return true
    }
    if !accepted, case .start(let transfer) = command {
      transfer.fail(TransferError(.shutDown, "the HTTP transport was shut down"))
    }
  }

  /// Takes all commands, in order.
  func take() -> [CurlCommand] {
    state.withLock { state in
      defer { state.commands = [] }
      return state.commands
    }
  }

  /// Accepts no further commands; returns those that had not been taken.
  func close() -> [CurlCommand] {
    state.withLock { state in
      defer {
        state.commands = []
        state.multi = nil
      }
      return state.commands
    }
  }
}
