import CLibcurl
import Glibc
import Latency

/// The loop that owns libcurl: one multi handle, and every transfer under way. All of it is touched by one thread only.
final class CurlThread {
  private let multi: UnsafeMutableRawPointer
  private let queue: CurlCommandQueue
  private var transfers: [UInt64: CurlTransfer] = [:]
  private var idsByHandle: [UnsafeMutableRawPointer: UInt64] = [:]

  /// An hour: without transfers the thread sleeps until it is woken.
  private static let idleWaitMilliseconds: Int32 = 3_600_000

  /// libcurl's global state, set up once for the process and before any thread uses it.
  private static let globalInitialization = curl_global_init(Int(CURL_GLOBAL_ALL))

  /// Starts a thread, and returns the queue that commands it.
  static func start() throws(TransferError) -> CurlCommandQueue {
    guard globalInitialization == CURLE_OK, let multi = curl_multi_init() else {
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
      curl_multi_cleanup(multi)
      throw TransferError(
        .other, "the thread of the HTTP transport could not be started: \(String(cString: strerror(status)))")
    }
    pthread_detach(thread)
    return queue
  }

  private init(multi: UnsafeMutableRawPointer) {
    self.multi = multi
    // The queue calls curl_multi_wakeup alone, the one function that any thread may call.
    nonisolated(unsafe) let multi = multi
    queue = CurlCommandQueue(multi: multi)
  }

  private func run() {
    // With NOSIGNAL libcurl leaves SIGPIPE alone, and OpenSSL writes to sockets without MSG_NOSIGNAL: blocked here, a closed
    // connection is an error instead of the process's end. Other signals are other threads' to handle.
    var signals = sigset_t()
    sigfillset(&signals)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    while handleCommands() {
      var running: Int32 = 0
      curl_multi_perform(multi, &running)
      finishCompleted()
      curl_multi_poll(multi, nil, 0, CurlThread.idleWaitMilliseconds, nil)
    }
    shutDown()
  }

  /// - Returns: whether to go on.
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
      let code = curl_multi_add_handle(multi, handle)
      guard code == CURLM_OK else {
        _ = remove(transfer.id)
        throw TransferError(.other, String(cString: curl_multi_strerror(code)))
      }
    } catch {
      transfer.fail(error)
    }
  }

  private func finishCompleted() {
    var remaining: Int32 = 0
    while let message = curl_multi_info_read(multi, &remaining) {
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
      curl_multi_remove_handle(multi, handle)
    }
    transfer.freeHandle()
    return transfer
  }

  private func shutDown() {
    let error = TransferError(.shutDown, "the HTTP transport was shut down")
    for case .start(let transfer) in queue.close() { transfer.fail(error) }
    for id in Array(transfers.keys) { remove(id)?.fail(error) }
    curl_multi_cleanup(multi)
  }
}
