import Foundation
import Glibc

/// A gateway in Node, with express and ws, on loopback: a process of this test, ended by ``stop()``, and at the latest with the
/// tests, as its standard input ends then. Its log is a witness of what came.
public final class NodeGateway: Sendable {
  /// A line of its log; what an event doesn't have is nil.
  public struct Event: Decodable, Sendable {
    /// Such as `acquire`.
    public var event: String
    /// In ms of the monotonic clock.
    public var ms: Double
    /// A warm task's.
    public var taskId: String?
    /// Whom it is about.
    public var userId: String?
    /// A session's name.
    public var session: String?
    /// Of an answer: whether the task had been started for it, `warm` or `cold`, or was `running`.
    public var source: String?
    /// Of an answer: from the message's receipt, until the first chunk was about to be written, in ns.
    public var firstChunkNs: UInt64?
    /// Of an answer: from the message's receipt, until the end was about to be written, in ns.
    public var finishNs: UInt64?
    /// Of an answer: the longest time between two chunks, in ns.
    public var longestGapNs: UInt64?
  }

  /// Where it listens on 127.0.0.1.
  public let port: Int
  /// Its address.
  public var url: String { "http://127.0.0.1:\(port)" }

  private let process: Process
  private let input: Pipe
  private let folder: ScratchDirectory

  /// Debian's modules, which its own Node finds by itself and another one does not.
  private static let modules = "/usr/share/nodejs"

  private static let node = ["/usr/bin/node", "/usr/local/bin/node"].first(
    where: FileManager.default.isExecutableFile)

  /// Whether there is a Node that finds express and ws, for `.enabled(if:)`.
  public static let isAvailable: Bool = {
    guard let process = command(["-e", "require('express'); require('ws')"]) else { return false }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  /// What is missing, for `.enabled(if:)`.
  public static let needs = "needs Node with express and ws: scripts/setup.sh peers"

  private static func command(_ arguments: [String]) -> Process? {
    guard let node else { return nil }
    let process = Process()
    process.executableURL = URL(filePath: node)
    process.arguments = arguments
    let own = ProcessInfo.processInfo.environment
    let path = [own["NODE_PATH"], modules].compactMap { $0 }.joined(separator: ":")
    process.environment = own.merging(["NODE_PATH": path]) { $1 }
    return process
  }

  /// Starts a script and waits until it has said where it listens.
  ///
  /// - Parameter options: the script's own, beside `--port` and `--log`.
  public init(script: String, _ options: [String] = []) async throws {
    folder = try ScratchDirectory()
    let log = try folder.write("log", "")
    let said = try folder.write("said", "")
    guard let process = Self.command([script, "--port", "0", "--log", log] + options) else {
      throw CocoaError(.fileNoSuchFile)
    }
    self.process = process
    input = Pipe()
    process.standardInput = input
    process.standardOutput = FileHandle(forWritingAtPath: said)
    try process.run()
    for _ in 0..<10_000 where process.isRunning && Self.port(in: said) == nil {
      try await Task.sleep(for: .milliseconds(2))
    }
    guard let port = Self.port(in: said) else {
      kill(process.processIdentifier, SIGKILL)
      throw CocoaError(.executableLoad)
    }
    self.port = port
  }

  private static func port(in file: String) -> Int? {
    struct Ready: Decodable { var port: Int }
    guard let text = try? String(contentsOfFile: file, encoding: .utf8), text.hasSuffix("\n") else { return nil }
    return (try? JSONDecoder().decode(Ready.self, from: Data(text.utf8)))?.port
  }

  /// What it has done so far, in order.
  public var log: [Event] {
    let text = (try? String(contentsOfFile: folder.path + "/log", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { line in
      try? JSONDecoder().decode(Event.self, from: Data(line.utf8))
    }
  }

  /// How often something has happened so far.
  public func count(_ event: String) -> Int { log.count { $0.event == event } }

  /// Ends it at once.
  public func stop() {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }
}
