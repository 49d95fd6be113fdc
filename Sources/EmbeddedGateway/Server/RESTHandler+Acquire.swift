import Gateway
import Glibc
import Latency
import NIOCore
import NIOHTTP1
import NIOPosix

/// `POST /api/acquire`, with the faults that are asked for.
extension RESTHandler {
  func acquire(_ body: ByteBuffer) {
    guard let request = decode(AcquireRequest.self, from: body), !request.userId.isEmpty else {
      return answerError(.badRequest, "userId is required, in a JSON object")
    }
    guard UserID.isValid(request.userId) else { return answerError(.badRequest, "a userId is \(UserID.rule)") }
    if let waitFor = request.waitFor, waitFor != "ready", waitFor != "assigned" {
      return answerError(.badRequest, "waitFor is \"assigned\" or \"ready\"")
    }
    let fault = core.configuration.faults.fault(ofAcquire: core.acquireCount)
    core.acquireCount += 1
    holdAnswer(until: receivedAt + core.configuration.faults.acquireDelay)
    acquire(request, fault)
  }

  private func acquire(_ request: AcquireRequest, _ fault: AcquireFault?) {
    switch fault {
    case nil: acquireTask(request)
    case .unavailable: answerError(.serviceUnavailable, "a fault that was asked for")
    case .mute: break
    case .reset: reset()
    case .rubbish: answer(.ok, ByteBuffer(string: "{\"success\": tru"))
    case .truncate: answer(.ok, ByteBuffer(string: "{\"success\": true, "), close: true, announcedLength: 200)
    case .miss: answerMiss(warmCount: 0)
    case .duplicate:
      guard let taskID = core.lastAssigned else { return acquireTask(request) }
      answer(.ok, granted(taskID, request.userId, request.sessionId, .warm).bytes)
    }
  }

  private func acquireTask(_ request: AcquireRequest) {
    let waitsForReady = request.waitFor == "ready"
    let number = exchangeNumber
    let acquisition = core.acquire(
      userID: request.userId, sessionID: request.sessionId, receivedAt: receivedAt
    ) { [weak self] acquisition, outcome in
      // What becomes of a task after its answer is nothing that a later request on this connection should hear.
      guard let self, isWaiting, exchangeNumber == number else { return }
      report(outcome, of: acquisition, waitsForReady: waitsForReady)
    }
    // Still waiting: from now on the client's leaving ends it. An answered exchange is over, and this does nothing.
    wait(for: acquisition)
  }

  private func report(_ outcome: Acquisition.Outcome, of acquisition: Acquisition, waitsForReady: Bool) {
    switch outcome {
    case .assigned: if !waitsForReady { answerGranted(acquisition, nil) }
    case .ready(let breakdown): if waitsForReady { answerGranted(acquisition, breakdown) }
    case .missed: answerMiss(warmCount: core.pool.warmCount)
    case .failed(let failure), .lost(let failure):
      answerError(.serviceUnavailable, failure.message, code: failure.code.rawValue)
    }
  }

  private func answerGranted(_ acquisition: Acquisition, _ breakdown: InitBreakdown?) {
    guard let taskID = acquisition.taskID else { return }
    var object = granted(taskID, acquisition.userID, acquisition.sessionID, acquisition.source)
    if let breakdown { object.add("breakdown", JSONObject(breakdown)) }
    answer(.ok, object.bytes)
  }

  /// The fields of both dialects.
  private func granted(
    _ taskID: TaskID, _ userID: String, _ sessionID: String?, _ source: AssignmentSource
  ) -> JSONObject {
    var object = JSONObject()
    object.add("success", true)
    object.add("taskArn", core.taskARN(taskID))
    object.add("taskId", taskID)
    object.add("userId", userID)
    object.add("sessionId", sessionID)
    // An answer that is held back leaves when the delay is over.
    let latency = max(MonotonicClock.now() - receivedAt, core.configuration.faults.acquireDelay)
    object.add("latency", milliseconds: latency)
    object.add("source", source.rawValue)
    return object
  }

  /// Status 200, as in the lab's gateway.
  private func answerMiss(warmCount: Int) {
    var object = JSONObject()
    object.add("success", false)
    object.add("error", "No warm tasks available")
    object.add("warmCount", warmCount)
    answer(.ok, object.bytes)
  }

  private func reset() {
    guard let channel else { return }
    // Closing with a linger time of 0 sends RST instead of FIN.
    let lingerless = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
    lingerless?.whenComplete { _ in channel.close(promise: nil) }
  }
}
