import Foundation
import ProcessControl
import Testing

/// Which tools `run-all-tests.sh` runs, seen through tools that only say how they were called.
@Suite struct SuiteScriptTests {
  private static let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "run-all-tests.sh")

  private static let tools = [
    "bench-allocation", "bench-dirinit", "bench-e2e", "bench-concurrent", "bench-exhaustion", "bench-api",
  ]

  /// Runs a copy of the script with a `swift` that builds nothing; what was called, in lines.
  private static func run(_ environment: [String: String], _ options: String...) async throws -> [String] {
    let scratch = try Scratch()
    func program(_ path: String, _ text: String) {
      scratch.write(path, "#!/bin/sh\n\(text)\n")
      chmod(scratch(path), 0o755)
    }
    for directory in ["scripts", "bin", "path"] { scratch.directory(directory) }
    scratch.write("run-all-tests.sh", try String(contentsOf: script, encoding: .utf8))
    program("scripts/setup.sh", "exit 0")
    program("path/swift", "case $* in *--show-bin-path) echo '\(scratch("bin"))';; esac")
    for tool in tools { program("bin/\(tool)", "echo \"${0##*/} ran\" >> '\(scratch("calls"))'") }
    program("bin/suite-summary", "shift 2; for o in \"$@\"; do echo \"$o\" >> '\(scratch("calls"))'; done")

    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = [scratch("run-all-tests.sh"), "--output-dir", scratch("results")] + options
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    process.environment = environment.merging(["PATH": "\(scratch("path")):\(path)"]) { $1 }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let status = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Int32, any Error>) in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
    #expect(status == 0)
    let calls = FileManager.default.contents(atPath: scratch("calls")) ?? Data()
    return String(decoding: calls, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  @Test(arguments: [
    [:], ["SERVICE": "pool"], ["GATEWAY_URL": "http://g", "CLUSTER": "c"],
    ["GATEWAY_URL": "http://g", "AWS_ENDPOINT_URL": "http://e"],
  ]) func everyToolIsRun(environment: [String: String]) async throws {
    let calls = try await Self.run(environment)
    #expect(calls.filter { $0.hasSuffix(" ran") } == Self.tools.map { "\($0) ran" })
    #expect(!calls.contains { $0.contains("=skipped") })
  }

  @Test(arguments: ["CLUSTER", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECS"])
  func anECSWithoutItsGatewayIsNotDrained(variable: String) async throws {
    let calls = try await Self.run([variable: "http://e"])
    #expect(calls.filter { $0.hasSuffix(" ran") } == Self.tools.filter { $0 != "bench-exhaustion" }.map { "\($0) ran" })
    #expect(calls.contains { $0.hasPrefix("bench-exhaustion=skipped=\(variable) set without GATEWAY_URL: ") })
  }

  @Test func aGatewayWithoutAnECSHasNoAPIToMeasure() async throws {
    let calls = try await Self.run(["GATEWAY_URL": "http://g"], "--skip-efs")
    #expect(!calls.contains("bench-api ran") && !calls.contains("bench-dirinit ran"))
    #expect(calls.contains { $0.hasPrefix("bench-api=skipped=GATEWAY_URL set without CLUSTER or SERVICE") })
    #expect(calls.contains("bench-dirinit=skipped=--skip-efs"))
  }
}
