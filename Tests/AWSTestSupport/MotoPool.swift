import Foundation
import TestSupport

/// A warm pool of ECS tasks in a moto server of the test's own, drained and refilled by a program in Python: what that
/// program says about the instants is the ground truth for a poller.
public struct MotoPool: Sendable {
  /// What happened at an instant.
  public struct Event: Sendable, Decodable {
    /// Wall clock, seconds since 1970; the moment right after it had happened.
    public var t: Double
    /// `started`, `ready`, `stopped`, `drained`, `refill-begin`, `refill-end`, `status`.
    public var event: String
    /// Tasks whose desired status is `RUNNING`.
    public var running: Int?
    /// How many tasks `started` is about.
    public var n: Int?
    /// The id of the task that `stopped` is about.
    public var task: String?
    /// How many tasks the refill starts.
    public var missing: Int?
    var accessKeyId: String?
    var secretAccessKey: String?
  }

  /// What went wrong in Python.
  public struct Failure: Error, CustomStringConvertible {
    /// The program's whole output.
    public var description: String
  }

  /// What a test of a pool needs to be there, for `.enabled(if:)`.
  public static var isAvailable: Bool { Python.canImport("moto.server, boto3") }

  /// Where moto listens, `http://127.0.0.1:…`.
  public let url: String
  /// A key moto accepts; the only one if the pool was made with signature checks.
  public let accessKeyID: String
  /// Its private half.
  public let secretAccessKey: String
  /// The cluster's name.
  public let cluster = "ib-pool"
  /// The service's name, also the task definition's family.
  public let service = "ib-warm"
  /// The region.
  public let region = "eu-west-1"

  /// The key in the variables that AWS tools read, and the region.
  public var environment: [String: String] {
    ["AWS_ACCESS_KEY_ID": accessKeyID, "AWS_SECRET_ACCESS_KEY": secretAccessKey, "AWS_REGION": region]
  }

  /// Runs `body` with a pool of `count` running tasks; moto ends afterwards.
  ///
  /// - Parameter checksSignatures: whether moto verifies every signature.
  public static func run<Value>(
    count: Int, checksSignatures: Bool = false, _ body: (MotoPool) async throws -> Value
  ) async throws -> Value {
    try await Python.withMoto { url in
      let unknown = MotoPool(url: url, accessKeyID: "AKIASETUP", secretAccessKey: "unchecked")
      let events = try await unknown.perform(
        ["setup", "--count", String(count)] + (checksSignatures ? ["--auth"] : []))
      let key = events.last { $0.accessKeyId != nil }
      return try await body(
        MotoPool(
          url: url, accessKeyID: key?.accessKeyId ?? unknown.accessKeyID,
          secretAccessKey: key?.secretAccessKey ?? unknown.secretAccessKey))
    }
  }

  /// Stops `count` tasks, the oldest first, one each `interval` seconds; ends with `drained`.
  public func drain(_ count: Int, every interval: Double = 0) async throws -> [Event] {
    try await perform(["drain", String(count), "--every", String(interval)])
  }

  /// Waits, then starts tasks up to the service's desired count: `refill-begin`, `started`…, `refill-end`.
  public func refill(after seconds: Double = 0, every interval: Double = 0) async throws -> [Event] {
    try await perform(["refill", "--after", String(seconds), "--every", String(interval)])
  }

  /// A drain and a refill in one process, so that the wait between them is `seconds` and no more.
  public func cycle(_ count: Int, after seconds: Double, every interval: Double = 0) async throws -> [Event] {
    try await perform(["cycle", String(count), "--after", String(seconds), "--every", String(interval)])
  }

  /// How many tasks run now: `status`.
  public func status() async throws -> [Event] { try await perform(["status"]) }

  private func perform(_ arguments: [String]) async throws -> [Event] {
    guard let script = Bundle.module.url(forResource: "moto_pool", withExtension: "py", subdirectory: "Fixtures") else {
      throw Failure(description: "moto_pool.py is not in the bundle")
    }
    let result = try await Python.run([script.path, url] + arguments, environment: environment)
    guard result.status == 0 else { throw Failure(description: result.output) }
    return try result.output.split(separator: "\n").filter { $0.hasPrefix("{") }
      .map { try JSONDecoder().decode(Event.self, from: Data($0.utf8)) }
  }
}
