/// What a user could do to another that the modes should have prevented.
public struct IsolationViolation: Sendable, Equatable, CustomStringConvertible {
  /// Something one user tries on another's directory.
  public enum Attempt: String, Sendable, CaseIterable {
    /// Passing through the directory.
    case enter
    /// Listing its names.
    case list
    /// Opening the token for reading.
    case readToken = "read_token"
    /// Making a file in the directory.
    case makeFile = "make_file"
    /// Opening the token for writing.
    case overwriteToken = "overwrite_token"
  }

  /// What succeeded.
  public let attempt: Attempt
  /// On which path, relative to the root.
  public let path: String

  /// One sentence for the report.
  public var description: String { "another user could \(attempt.rawValue) '\(path)'" }
}

/// Whether one user's files are closed to another: measured, or honestly not.
public enum IsolationResult: Sendable, Equatable {
  /// Two user ids really tried; none of the attempts succeeded if there are no violations.
  case tested(violations: [IsolationViolation])
  /// No statement is possible, and why.
  case notTested(reason: String)
}

/// The result, and what the probe had to leave behind.
public struct IsolationReport: Sendable, Equatable {
  /// The finding.
  public let result: IsolationResult
  /// Paths below the root that could not be removed.
  public let leftovers: [String]
}
