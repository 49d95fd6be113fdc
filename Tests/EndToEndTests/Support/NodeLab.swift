import Foundation
import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench

/// The laboratory's gateway in Node (`Fixtures/gateways/lab.js`), and tasks of another process where it is to have some.
struct NodeLab: Sendable {
  let gateway: NodeGateway
  let scratch: Scratch
  private let tasks: Tool.Running?

  /// Starts it, and runs `body` when it has `tasks` warm tasks of the program warm-task.
  static func with<T: Sendable>(tasks: Int = 0, _ body: (NodeLab) async throws -> T) async throws -> T {
    let scratch = try Scratch()
    let gateway = try await NodeGateway(
      script: try Fixture.path("gateways/lab.js"), ["--workspace", scratch.directory("gateway")])
    let supply =
      tasks == 0
      ? nil
      : try await Tool(name: "warm-task").start(
        [
          "--gateway-url", gateway.url, "--count", "\(tasks)", "--workspace-root", scratch.directory("efs"),
          "--startup-delay", "1ms",
        ], in: scratch.path)
    let lab = NodeLab(gateway: gateway, scratch: scratch, tasks: supply)
    let result: Result<T, any Error>
    do {
      try await eventually("no \(tasks) warm tasks") { gateway.count("task_connected") >= tasks }
      result = .success(try await body(lab))
    } catch {
      result = .failure(error)
    }
    gateway.stop()
    if let supply {
      supply.child.signal(SIGTERM)
      _ = await supply.end()
    }
    return try result.get()
  }

  /// Tasks that were given to somebody and not given back, by the gateway's log.
  var assigned: Set<String> {
    var tasks: Set<String> = []
    for event in gateway.log {
      guard let task = event.taskId else { continue }
      if event.event == "acquire" { tasks.insert(task) }
      if event.event == "release" || event.event == "task_closed" { tasks.remove(task) }
    }
    return tasks
  }

  /// The gateway's word on a run: as many tasks as `count` were taken, each was given back once, and none is left.
  func expectTaken(_ count: Int, _ what: Comment, _ location: SourceLocation = #_sourceLocation) {
    #expect(gateway.count("acquire") == count, what, sourceLocation: location)
    #expect(gateway.count("release") == count, what, sourceLocation: location)
    #expect(gateway.count("release_refused") == 0, what, sourceLocation: location)
    #expect(assigned == [], what, sourceLocation: location)
  }
}

/// Files that the tests bring with them.
enum Fixture {
  static func path(_ name: String) throws -> String {
    let folder = try #require(Bundle.module.resourceURL)
    return folder.appending(path: "Fixtures/\(name)").path
  }
}
