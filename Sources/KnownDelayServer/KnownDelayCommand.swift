public import ArgumentParser
import Glibc
import Latency
import ProcessControl
import UnixSignals

/// `known-delay-server`: the server as a program.
public struct KnownDelayCommand: AsyncParsableCommand {
  /// Name and help.
  public static let configuration = CommandConfiguration(
    commandName: "known-delay-server",
    abstract: "A gateway on loopback whose delays are known: a load generator's figures are held against it.",
    discussion: """
      Prints {"event": "ready", "gatewayUrl": …} on standard output when it serves, and at its end, and on SIGUSR1, a line \
      {"event": "report", …} with what it counted and P50, P95, P99, P99.9 and maximum of what its acquires took by its own clock.

      EXAMPLES
        Every acquire takes 5 ms; one in a hundred 200 ms, the others 1 ms:
          known-delay-server --delay 5ms
          known-delay-server --delay 1ms --slow-every 100 --slow 200ms
        Deaf for 1 s in every 5 s since the first acquire (from 2 s to 3 s, from 7 s to 8 s, …):
          known-delay-server --deaf 1s --deaf-every 5s
      With requests due at a constant rate over whole periods, a client should then see the response times
          P(q) = deaf − (1 − q) × deaf-every
      which are here P95 0.75 s, P99 0.95 s and P99.9 0.995 s.

      EXIT STATUS
        0 its lifeline ended · 1 it could not serve · 64 wrong usage · 129/130/131/143 interrupted
      """,
    version: "0.2.0")

  @Option(help: "Port on 127.0.0.1; 0 for a free one.") var port: UInt16 = 0
  @Option(help: "How long an acquire takes (default: no time).", transform: Delay.init(parsing:)) var delay: Delay?
  @Option(help: "One acquire in so many takes --slow instead; counted, not drawn.") var slowEvery: Int?
  @Option(help: "How long a slow acquire takes.", transform: Delay.init(parsing:)) var slow: Delay?
  @Option(help: "How long it is deaf, in the middle of every --deaf-every.", transform: Delay.init(parsing:))
  var deaf: Delay?
  @Option(help: "From one deaf time's beginning to the next one's.", transform: Delay.init(parsing:))
  var deafEvery: Delay?
  @Flag(help: "End when standard input reaches its end.") var lifeline = false

  /// Makes the command; the parser then sets its values.
  public init() {}

  /// Checks the options that depend on each other.
  public func validate() throws {
    _ = try plan()
  }

  /// Serves until a signal comes or the lifeline ends.
  public func run() async throws {
    let signals = await TerminationSignals.trap().first(
      farewell: "known-delay-server: ended at once by a second signal\n")
    let questions = await UnixSignalsSequence(trapping: .sigusr1)
    let plan = try plan()
    FileDescriptorLimit.raise()
    let server: KnownDelayServer
    do {
      server = try await KnownDelayServer.start(plan: plan, port: Int(port))
    } catch {
      let failure = "known-delay-server: cannot listen on 127.0.0.1:\(port): \(error)\n"
      WholeWrite.write(failure.utf8, to: STDERR_FILENO)
      throw ExitCode(1)
    }
    let ready = #"{"event":"ready","gatewayUrl":"http://127.0.0.1:\#(server.port)"}"# + "\n"
    WholeWrite.write(ready.utf8, to: STDOUT_FILENO)
    let status = await end(of: server, signals, questions)
    try WholeWrite.write(await server.report().line(), to: STDOUT_FILENO)
    await server.stop()
    if status != 0 { throw ExitCode(status) }
  }

  func plan() throws -> DelayPlan {
    var plan = DelayPlan(delay: delay?.length ?? .zero)
    switch (slowEvery, slow) {
    case (nil, nil): break
    case (let every?, let slow?) where every > 0:
      plan.slow = DelayPlan.SlowShare(every: every, delay: slow.length)
    default: throw ValidationError("--slow-every N (1 or more) and --slow D come together")
    }
    switch (deaf, deafEvery) {
    case (nil, nil): break
    case (let length?, let period?):
      plan.stall = Stall(length: length.length, period: period.length)
      if plan.stall == nil { throw ValidationError("--deaf is more than nothing and less than --deaf-every") }
    default: throw ValidationError("--deaf L and --deaf-every P come together")
    }
    return plan
  }

  /// Waits for the end, and writes a report whenever it is asked for one; returns the exit status.
  private func end(
    of server: KnownDelayServer, _ signals: AsyncStream<Int32>, _ questions: UnixSignalsSequence
  ) async -> Int32 {
    let end = FirstValue<Int32>()
    if lifeline { Lifeline.watch { end.give(0) } }
    Task {
      for await signal in signals { end.give(128 + signal) }
    }
    let reporting = Task {
      for await _ in questions {
        if let report = try? await server.report() { WholeWrite.write(report.line(), to: STDOUT_FILENO) }
      }
    }
    let status = await end.wait()
    reporting.cancel()
    await reporting.value
    return status
  }
}

/// A duration on the command line: a decimal number and a unit, `200us`, `5ms`, `1.5s`, up to an hour.
struct Delay: Equatable {
  let length: Nanoseconds

  /// - Throws: an error that says which form to write instead.
  init(parsing text: String) throws {
    guard let length = DurationText.parse(text, units: [.us, .ms, .s], upTo: .seconds(3600)) else {
      throw ValidationError("write a number and a unit, such as 200us, 5ms or 1.5s, of at most an hour")
    }
    self.length = length
  }
}
