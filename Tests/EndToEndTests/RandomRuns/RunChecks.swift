import FoundationEssentials
import ProcessControl

@testable import InfraBench
@testable import Results

/// What must hold of every run, whatever was drawn: its document against the contract, and against the gateway's books.
struct RunChecks {
  let run: RandomRun
  let result: BenchResult
  let document: ResultDocument
  let books: FaultyGateway.Books
  private(set) var faults: [String] = []

  init(_ run: RandomRun, _ result: BenchResult, _ document: ResultDocument, _ books: FaultyGateway.Books) {
    self.run = run
    self.result = result
    self.document = document
    self.books = books
    checkEnd()
    checkVerdict()
    checkSums()
    checkBooks()
    checkLatencies()
    checkWhatIsLeft()
    checkTime()
  }

  private mutating func expect(_ isTrue: Bool, _ fault: String) {
    if !isTrue { faults.append(fault) }
  }

  private func counter(_ name: String) -> UInt64 { document.counters[name] ?? 0 }
  private func metric(_ name: String) -> MetricDocument? { document.metrics[name] }

  private var iterations: UInt64 { counter("iterations") }
  private var errors: UInt64 { counter("errors") }
  private var isInterrupted: Bool { document.verdict == .interrupted }

  /// The latency of what is measured; in an open loop its service time has `_service` behind its name.
  private var headline: String {
    switch run.tool {
    case .allocation: "allocation"
    case .concurrent: "all"
    case .endToEnd: "end_to_end"
    }
  }

  private var successes: UInt64 {
    let others = run.tool == .concurrent ? 0 : counter("cold_starts") + counter("unclassified")
    return (metric(headline)?.count ?? 0) + others
  }

  /// Errors of a kind, in whatever step.
  private func errorCount(_ kind: String) -> UInt64 {
    document.errors.filter { $0.kind.split(separator: " ").last == kind[...] }.reduce(0) { $0 + $1.count }
  }

  /// Answers that the tool may have given up waiting for just when they were written.
  private var unread: UInt64 { counter("timeouts") + counter("censored") }

  private mutating func checkEnd() {
    let expected: Int32? =
      switch document.verdict {
      case .pass: 0
      case .fail: 99
      case .error: 1
      case .interrupted: run.signal.map { 128 + $0.number }
      }
    expect(expected.map { result.status == .exited($0) } ?? false, "\(document.verdict) with \(result.status)")
    expect(
      !run.printsJSON || (try? ResultCoding.decode(result.output, tools: .suite)) == document,
      "standard output is another document")
  }

  private mutating func checkVerdict() {
    if document.verdict == .pass {
      expect(errors == 0 && counter("censored") == 0, "pass with \(errors) errors, \(counter("censored")) censored")
      expect(document.thresholds.allSatisfy(\.pass), "pass with a crossed threshold")
      expect(counter("unreleased") == 0, "pass with unreleased tasks")
      // Asked in the warm-up, what went unanswered is in no counter.
      expect(
        run.warmup != nil || books.other("none") + books.other("lost") == 0,
        "pass, and the gateway left \(books.others) unanswered")
    }
    if document.verdict == .fail {
      expect(document.thresholds.contains { !$0.pass }, "fail without a crossed threshold")
    }
    if document.verdict == .error {
      expect(document.metrics[headline] == nil, "an error though \(headline) has samples")
    }
    guard document.verdict != .pass, run.script.fault == nil, run.script.places == nil, !isInterrupted,
      run.script.release == .works
    else { return }
    // Nothing went wrong: only a slow machine can have crossed a threshold, or tasks that are all cold.
    let crossed = document.thresholds.filter { !$0.pass }.map(\.expression)
    let ofSpeed = crossed.allSatisfy { $0.hasSuffix("s") && $0.contains(" < ") }
    expect(ofSpeed && errors == 0, "a gateway without fault: \(crossed), \(document.errors)")
    expect(
      document.verdict != .error || counter("cold_starts") + counter("unclassified") > 0, "worthless for no reason")
  }

  private mutating func checkSums() {
    let due = iterations + counter("censored") + counter("dropped")
    let bounds = run.shape.due
    expect(due <= UInt64(bounds.upperBound), "\(due) of at most \(bounds.upperBound) starts")
    // An interruption ends the schedule.
    expect(isInterrupted || due >= UInt64(bounds.lowerBound), "\(due) of at least \(bounds.lowerBound) starts")
    let misses = counter("misses")
    expect(
      iterations == successes + errors + misses,
      "\(iterations) iterations: \(successes) successes, \(errors) errors, \(misses) misses")
    let listed = document.errors.reduce(0) { $0 + $1.count }
    expect(listed == errors, "\(errors) errors, \(listed) by kind")
    expect(counter("timeouts") == errorCount("timeout") + errorCount("connect_timeout"), "time-outs by kind")
    if run.tool == .concurrent {
      let told = counter("warm") + counter("cold") + counter("unclassified")
      expect(told == successes, "\(successes) successes, \(told) told warm from cold")
    }
    if case .open(_, _, _, _, _, true) = run.shape {} else { expect(counter("dropped") == 0, "dropped unasked") }
    if let users = run.shape.usersFromTheBeginning, let places = run.script.places, !isInterrupted {
      // One more may be let in by the kernel, and wait in vain.
      expect(errors + 1 + UInt64(places) >= UInt64(users), "\(users) users, \(places) places, \(errors) errors")
    }
    guard run.timeline != nil else { return }
    for name in ["iterations", "errors", "dropped"] {
      let sum = (document.timeline?.rows ?? []).reduce(Int64(0)) { sum, row in
        if case .int(let value) = row[name] { sum + value } else { sum }
      }
      expect(sum == Int64(counter(name)), "\(name): \(counter(name)), \(sum) in the timeline")
    }
  }

  private mutating func checkBooks() {
    expect(books.other("nonsense") == 0, "the gateway did not understand what was asked")
    let misses = run.tool == .endToEnd ? errorCount("NO_WARM_TASK") : counter("misses")
    for (what, own, theirs) in [
      ("tasks", successes, books.tasks), ("misses", misses, books.other("miss")),
      ("503", errorCount("http_503"), books.other("http")),
      ("invalid", errorCount("invalid_json"), books.other("invalid")),
    ] {
      expect(own <= theirs, "\(what): \(own), and \(theirs) by the gateway's books")
      // The books know nothing of a warm-up.
      expect(run.warmup != nil || theirs <= own + unread, "\(what): \(own), \(unread) unread; \(theirs) in the books")
    }
    expect(
      run.warmup != nil || books.acquires <= iterations + counter("censored"),
      "\(books.acquires) acquires for \(iterations) iterations and \(counter("censored")) censored")
    let connected = metric("connect")?.count ?? 0
    expect(
      run.script.places != nil || connected <= books.connections, "\(connected) of \(books.connections) connections")
  }

  /// The books' service times lie within those that the tool sees: each of its own is at least as long.
  private mutating func checkLatencies() {
    let responses = metric(headline)
    let services = run.shape.isOpenLoop ? metric(headline + "_service") : responses
    expect(responses?.count == services?.count, "as many response as service times")
    guard let responses, let services else { return }
    /// A histogram's values are true to 0.1 %.
    func isBelow(_ shorter: Double, _ longer: Double) -> Bool { shorter * 0.998 <= longer + 0.002 }
    for (name, response, service) in [
      ("p50", responses.p50, services.p50), ("p90", responses.p90, services.p90), ("p99", responses.p99, services.p99),
      ("max", responses.max, services.max),
    ] {
      expect(isBelow(service, response), "\(name): response \(response), service \(service)")
    }
    let isOfWarmOnly = run.tool != .concurrent && run.script.saysSource
    guard let theirs = isOfWarmOnly ? books.warm : books.all else { return expect(false, "samples of no task") }
    expect(isBelow(theirs.min, services.min), "min: \(services.min) ms, the gateway took \(theirs.min)")
    // Of the same acquires, that is.
    guard theirs.count == services.count else { return }
    for (name, own, gateways) in [
      ("p50", services.p50, theirs.p50), ("p90", services.p90, theirs.p90), ("p99", services.p99, theirs.p99),
      ("max", services.max, theirs.max),
    ] {
      expect(isBelow(gateways, own), "\(name): \(own) ms, the gateway took \(gateways)")
    }
    // A machine that stalls makes some of them longer, not half of them by a second.
    expect(services.p50 <= theirs.p50 + 1000, "p50: \(services.p50) ms, the gateway took \(theirs.p50)")
  }

  private mutating func checkWhatIsLeft() {
    guard run.tool != .endToEnd else {
      return expect(books.stillAssigned == 0, "\(books.stillAssigned) sessions are left")
    }
    // What a warm-up's time-outs left is not said.
    guard run.warmup == nil || run.timeoutMs > 10_000 else { return }
    let isUnsupported = document.notes.contains { $0.contains("has no /api/release: tasks are held") }
    let noted = document.notes.compactMap { note -> UInt64? in
      note.contains("could not be released") ? note.split(separator: " ").lazy.compactMap { UInt64($0) }.first : nil
    }
    let said = max(counter("unreleased"), noted.max() ?? 0)
    expect(
      isUnsupported || books.stillAssigned <= said + unread,
      "\(books.stillAssigned) tasks are left; said: \(said), unread answers: \(unread)")
    let isMute = run.script.fault.map { $0.kind == .mute && $0.isOfEverything } ?? false
    // Every release gets in, and is answered.
    guard run.script.release == .works, run.script.places == nil, !isMute else { return }
    expect(said <= unread, "\(said) tasks unreleased by a gateway that takes all back")
  }

  private mutating func checkTime() {
    let milliseconds = document.durationSeconds * 1000
    if let length = run.shape.length, !isInterrupted {
      expect(milliseconds <= Double(length) + 1, "\(milliseconds) ms of \(length)")
      if run.shape.canWarmUp { expect(milliseconds >= Double(length) - 1, "\(milliseconds) ms of \(length)") }
    }
    guard run.shape.canWarmUp, run.warmup == nil, !isInterrupted, run.script.places == nil,
      let lastAnswer = books.lastAnswerMs
    else { return }
    let silence = milliseconds - lastAnswer
    let isSaid = document.notes.contains { $0.hasPrefix("nothing was answered in ") }
    // Around a second the two clocks' begins decide.
    if silence > 1600, books.other("none") > 0 { expect(isSaid, "silent for \(silence) ms, and no note says so") }
    if silence < 600 { expect(!isSaid, "a note says silent, the gateway was so for \(silence) ms") }
  }
}
