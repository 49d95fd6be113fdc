import ProcessControl

/// What a user's program tells its agent, always on the agent's event loop.
enum UserProcessEvent {
  case started(pid: Int32?, at: UInt64)
  /// It was not started; there will be no `ended`.
  case failed(String)
  /// Complete lines, without their ends, and the instant they were read. Nothing more comes until `readMore`.
  case lines([OutputLine], at: UInt64)
  /// What waited for the program to read it is below the bound again.
  case roomForInput
  /// The last event: all output has been told.
  case ended(ExitStatus)
}

/// A user's running program, or what stands for it. Confined to one event loop.
protocol UserProcess: AnyObject {
  /// Starts it, once.
  func start()
  /// Whether it keeps up with its input. Lines beyond that are kept too: whoever writes should wait for `roomForInput`.
  var hasRoomForInput: Bool { get }
  /// Hands it one line. False if it doesn't take it: its input is closed.
  func write(line: String) -> Bool
  /// Allows the next `lines`.
  func readMore()
  /// Ends it in order, then by force; `ended` tells when it is done.
  func stop()
}
