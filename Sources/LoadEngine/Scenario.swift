public import Transport

/// What the virtual users of a benchmark do. The engine decides when they do it.
///
/// Per iteration the engine calls ``prepare(_:_:into:)``, ``perform(_:_:into:)`` and ``conclude(_:_:)``. Only
/// ``makeUser(_:on:)`` and ``perform(_:_:into:)`` have no default.
///
/// All functions run on the thread of the user's event loop and must not block; ``cancel(_:)`` alone is called from any
/// thread.
///
/// ```swift
/// /// Each user keeps one connection and sends `GET /health` over it.
/// struct HealthScenario: Scenario {
///   let target: Endpoint
///   /// `catalogue.operation("health")`
///   let operation: Operation
///
///   func makeUser(_ number: Int, on executor: LoopExecutor) async -> Result<HTTPConnection, TransportError> {
///     await HTTPConnection.connect(to: target, tls: nil, on: executor, timeout: .seconds(5))
///   }
///
///   func perform(
///     _ user: Result<HTTPConnection, TransportError>, _ iteration: Iteration, into record: inout IterationRecord
///   ) async {
///     let request = ByteBuffer(string: "GET /health HTTP/1.1\r\nHost: \(target.hostHeader)\r\n\r\n")
///     do throws(TransportError) {
///       let exchange = try await user.get().exchange(request, timeout: .seconds(30)).get()
///       record.wrote(at: exchange.firstByteWrittenAt)
///       record.sample(operation, from: exchange.firstByteWrittenAt, to: exchange.lastByteReadAt)
///     } catch {
///       if error.kind == .cancelled { record.censor() } else { record.fail(error.kind.rawValue, error.message) }
///     }
///   }
/// }
/// ```
public protocol Scenario: Sendable {
  /// The state of one virtual user, such as its connection.
  associatedtype User: Sendable

  /// Sets up the `number`-th user, from 1; not measured.
  func makeUser(_ number: Int, on executor: LoopExecutor) async -> User

  /// Opens what the user needs before the measured part begins; not measured. All users are opened before the first
  /// iteration, except those of a ramp, which open when their turn comes.
  ///
  /// In a closed loop a failure recorded here counts as an iteration of its own, so that no user is lost from the
  /// figures. In an open loop it is forgotten, and the start that needs this user tries again.
  func open(_ user: User, into record: inout IterationRecord) async

  /// Provides what the iteration needs, such as an open connection and a warm task. A failure recorded here ends the
  /// iteration before it is performed.
  ///
  /// In a closed loop this is not measured. In an open loop the start is due already: wait only for what the iteration
  /// cannot do without, and report that time with ``IterationRecord/occupied(from:to:)``.
  func prepare(_ user: User, _ iteration: Iteration, into record: inout IterationRecord) async

  /// Performs the measured operation. Take its samples from stamps of the I/O thread, not from the beginning and the
  /// end of this function: the loop may run the task later than the answer was read.
  func perform(_ user: User, _ iteration: Iteration, into record: inout IterationRecord) async

  /// Called for an iteration that was recorded without being performed, because its set-up or preparation failed or was
  /// cut off.
  func failed(_ iteration: Iteration, _ record: IterationRecord)

  /// Undoes what the iteration left behind; not measured. Called after every `perform`, even a cancelled one.
  func conclude(_ user: User, _ iteration: Iteration) async

  /// Called from any thread when the user's task is cancelled, for scenarios whose calls do not watch for cancellation
  /// themselves.
  func cancel(_ user: User)

  /// Ends the user; not measured.
  func retire(_ user: User) async
}

extension Scenario {
  /// Opens nothing.
  public func open(_ user: User, into record: inout IterationRecord) async {}

  /// Ignores the failure.
  public func failed(_ iteration: Iteration, _ record: IterationRecord) {}

  /// Prepares nothing.
  public func prepare(_ user: User, _ iteration: Iteration, into record: inout IterationRecord)
    async
  {}

  /// Undoes nothing.
  public func conclude(_ user: User, _ iteration: Iteration) async {}

  /// Ignores the cancellation.
  public func cancel(_ user: User) {}

  /// Ends nothing.
  public func retire(_ user: User) async {}
}
