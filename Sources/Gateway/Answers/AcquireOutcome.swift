public import Transport

/// What a task was asked for, and how it came. A class for the reason that ``HTTPExchange`` is one.
public final class Acquisition: Sendable {
  /// The gateway's answer.
  public let answer: AcquireAnswer
  /// The stamps of the request and its response, in ns.
  public let exchange: HTTPExchange

  init(answer: AcquireAnswer, exchange: HTTPExchange) {
    self.answer = answer
    self.exchange = exchange
  }
}

/// The outcome of `POST /api/acquire`.
public enum AcquireOutcome: Sendable {
  /// A task was assigned.
  case assigned(Acquisition)
  /// The pool had none to give: no success, and no failure of the gateway either.
  case miss(HTTPExchange)
  /// Anything else.
  case failed(GatewayError, firstByteWrittenAt: UInt64?)

  /// What an answer of either dialect says.
  init(_ exchange: HTTPExchange) {
    do throws(GatewayError) {
      guard exchange.response.status == 200 else { throw .unexpectedStatus(exchange.response) }
      let answer = try AcquireAnswer.decode(exchange.response)
      if answer.success == false {
        try Self.throwUnlessMiss(answer)
        self = .miss(exchange)
      } else {
        guard answer.task != nil else { throw .invalidAnswer("the answer names no task", exchange.response) }
        self = .assigned(Acquisition(answer: answer, exchange: exchange))
      }
    } catch {
      self = .failed(error, firstByteWrittenAt: exchange.firstByteWrittenAt)
    }
  }

  /// A miss names no task and says how many there are, or that there are none.
  private static func throwUnlessMiss(_ answer: AcquireAnswer) throws(GatewayError) {
    // A code names a failure, such as TASK_START_FAILED, however empty the pool is.
    if let code = answer.code {
      if code == "NO_WARM_TASK" { return }
    } else if answer.warmCount == 0 || answer.error?.lowercased().contains("no warm task") ?? false {
      return
    }
    let reason = [answer.code, answer.error].compactMap { $0 }.first { !$0.isEmpty } ?? "no reason given"
    throw GatewayError(kind: "refused", message: .printable(reason))
  }
}
