public import Transport

/// What the virtual users of a benchmark do. The engine decides when.
///
/// All functions run on the thread of the user's event loop and must not block.
public protocol Scenario: Sendable {
  /// What belongs to one virtual user, such as its connection.
  associatedtype User: Sendable

  /// Sets up the `number`-th user, from 1; not measured.
  func makeUser(_ number: Int, on executor: LoopExecutor) async -> User

  /// Opens what the user needs before the measured part begins; not measured. All users are opened before the first
  /// iteration. A failure recorded here is, in a closed loop, an iteration of its own: a user that did not get in is
  /// counted. In an open loop it is forgotten, and the start that needs this user tries again. Users of a ramp are not
  /// opened: they come in their first iteration.
  func open(_ user: User, into record: inout IterationRecord) async

  /// Brings about what the iteration needs, such as an open connection and a warm task. A failure recorded here ends the
  /// iteration before it is performed. In a closed loop it is not measured; in an open loop the start is due already, so
  /// that nothing may be waited for but what cannot be done without, and that is said by `record.occupied(from:to:)`.
  func prepare(_ user: User, _ iteration: Iteration, into record: inout IterationRecord) async

  /// The measured operation. Its samples are stamps of the I/O thread, not of this function's beginning and end.
  func perform(_ user: User, _ iteration: Iteration, into record: inout IterationRecord) async

  /// Told of an iteration that was recorded and not performed, as its set-up or preparation failed or was cut off.
  func failed(_ iteration: Iteration, _ record: IterationRecord)

  /// Undoes what the iteration left behind; not measured. Called after every `perform`, cancelled ones too.
  func conclude(_ user: User, _ iteration: Iteration) async

  /// Called from any thread when the user's task is cancelled, for whoever does not watch it in every call.
  func cancel(_ user: User)

  /// Ends the user; not measured.
  func retire(_ user: User) async
}

extension Scenario {
  /// Nothing to open.
  public func open(_ user: User, into record: inout IterationRecord) async {}

  /// Nobody to tell.
  public func failed(_ iteration: Iteration, _ record: IterationRecord) {}

  /// Nothing to prepare.
  public func prepare(_ user: User, _ iteration: Iteration, into record: inout IterationRecord)
    async
  {}

  /// Nothing to undo.
  public func conclude(_ user: User, _ iteration: Iteration) async {}

  /// Nobody to tell.
  public func cancel(_ user: User) {}

  /// Nothing to end.
  public func retire(_ user: User) async {}
}
