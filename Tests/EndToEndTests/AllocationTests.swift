import Foundation
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// An iteration over plain HTTP allocates nothing in the steady state.
///
/// A debug build cannot show it: without the optimiser an iteration of two requests allocates some 125 times, for
/// closures, existentials and copies that a release build has not. So a release build is counted, where there is one
/// that is as new as the sources.
@Suite(.serialized, .timeLimit(.minutes(3))) struct AllocationTests {
  /// The release build beside the debug build of the tests.
  private static let release: String? = {
    guard let debug = try? Tool(name: "bench-concurrent").path else { return nil }
    // The programs of `.build/…/debug` and `.build/…/release` have the same names.
    let path = debug.replacing("/debug/", with: "/release/")
    let root = (1...3).reduce(URL(filePath: #filePath)) { path, _ in path.deletingLastPathComponent() }
    guard path != debug, let built = changed("\(path.dropLast("bench-concurrent".count))infrabench"),
      FileManager.default.isExecutableFile(atPath: path)
    else { return nil }
    let sources = FileManager.default.subpaths(atPath: "\(root.path)/Sources") ?? []
    let newest = sources.compactMap { changed("\(root.path)/Sources/\($0)") }.max()
    return newest.map { $0 <= built } ?? true ? path : nil
  }()

  private static func changed(_ path: String) -> Date? {
    (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date
  }

  private static let compiler = "/usr/bin/cc"

  /// The allocations of a run of `count` iterations.
  private func allocations(
    _ tool: String, _ count: Int, _ options: [String], library: String, url: String
  ) async throws -> Int {
    let scratch = try Scratch()
    let outcome = try await Tool.start(
      [tool, "--gateway-url", url, "--count", "\(count)", "--quiet"] + options + BenchRun.anySpeed,
      environment: ["LD_PRELOAD": library, "ALLOCATIONS_FILE": scratch("allocations"), "GATEWAY_URL": ""],
      in: scratch.path
    ).end(within: .seconds(60))
    #expect(outcome.status == .exited(0), "\(outcome.standardOutput)\(outcome.standardError)")
    let text = try String(contentsOfFile: scratch("allocations"), encoding: .utf8)
    return try #require(text.split(separator: "\n").last.flatMap { Int($0) })
  }

  @Test(
    .enabled(if: release != nil, "needs a release build of these sources beside the tests': swift build -c release"),
    .enabled(if: FileManager.default.isExecutableFile(atPath: compiler), "needs a C compiler"),
    .enabled(if: ForeignProxy.nginx != nil, "needs nginx: scripts/setup.sh peers"),
    arguments: [(["--concurrency", "10"], 100), (["--rate", "20000/s", "--max-in-flight", "10"], 20)])
  func anIterationAllocatesNothing(_ options: [String], lessThanOneIn share: Int) async throws {
    let scratch = try Scratch()
    let library = scratch("count.so")
    let compilation = try await Tool.start(
      [Self.compiler, "-O2", "-shared", "-fPIC", "-o", library, try Fixture.path("count-allocations.c")],
      in: scratch.path
    ).end()
    try #require(compilation.status == .exited(0), "\(compilation.standardError)")
    // A fast server: what is done a few times a second, such as watching the generator, is not to count.
    let server = try await ForeignProxy.nginx(
      """
      keepalive_requests 1000000000; default_type application/json;
      location = /api/acquire { return 200 '{"success":true,"taskId":"$request_id","source":"warm"}'; }
      location = /api/release { return 200 '{"success":true}'; }
      location / { return 404; }
      """)
    defer { server.stop() }
    let url = "http://127.0.0.1:\(server.port)"
    let tool = try #require(Self.release)
    // All that is made once, and what grows while a run is young, is in both.
    let count = 20_000
    let single = try await allocations(tool, count, options, library: library, url: url)
    let double = try await allocations(tool, 2 * count, options, library: library, url: url)
    // The tool looks at its own load some times a second, and an array may double in the longer run. A run on schedule
    // allocates some hundred times more for that; an allocation an iteration would be 20,000.
    #expect(double - single < count / share, "\(single) allocations of \(count) iterations, \(double) of \(2 * count)")
  }
}
