import FoundationEssentials
import Glibc
import ProcessControl
import TestSupport
import Testing

/// libcurl and its twenty libraries are loaded where a tool calls AWS, and nowhere else.
@Suite(.wholeSuiteOnly, .timeLimit(.minutes(3))) struct LibcurlTests {
  private static let libraries = ["libcurl", "libssl", "libcrypto", "libnghttp2", "libldap"]

  /// The lines of all mapped files; empty for a process that has ended. The kernel gives some lines at each read, and
  /// Foundation's reading of a whole file takes the first ones for all.
  private static func maps(of pid: Int32) -> String {
    let file = open("/proc/\(pid)/maps", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = read(file, &buffer, buffer.count), count > 0 { bytes += buffer.prefix(count) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The libraries of ``libraries`` that each process of a run mapped, by its name, looked at again and again until the
  /// run's end. A library that is mapped stays so.
  private static func mapped(by run: BenchRun) async throws -> [Substring: Set<String>] {
    var mapped: [Substring: Set<String>] = [:]
    try await eventually("it did not end") {
      let own = ProcessEntry(pid: run.running.child.pid).map { [$0] } ?? []
      for process in own + ProcessEntry.descendants(of: run.running.child.pid) {
        let text = maps(of: process.pid)
        mapped[process.name, default: []].formUnion(libraries.filter { text.contains("/\($0)") })
      }
      return run.running.child.exitStatus != nil
    }
    return mapped
  }

  @Test(arguments: [
    ("bench-allocation", ["--count", "30"] + BenchRun.smallPool, ["mock-gateway"]),
    ("bench-e2e", ["--count", "30"] + BenchRun.smallPool, ["mock-gateway"]),
    ("bench-concurrent", ["--bursts", "10"], ["mock-gateway"]), ("bench-dirinit", ["--count", "2000"], []),
  ])
  func aToolThatDoesNotCallAWSMapsNone(tool: String, arguments: [String], others: [Substring]) async throws {
    let run = try await BenchRun.start(tool, arguments + BenchRun.anySpeed)
    let mapped = try await Self.mapped(by: run)
    let result = await run.end()
    #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
    #expect(mapped[Substring(tool)] == [], "\(mapped)")
    for other in others { #expect(mapped[other] == [], "\(mapped)") }
    #expect(mapped.values.allSatisfy { $0.isEmpty }, "\(mapped)")
  }

  @Test func benchAPIMapsThemAndItsGatewayDoesNot() async throws {
    let run = try await BenchRun.start("bench-api", ["--iterations", "100"] + BenchRun.anySpeed)
    let mapped = try await Self.mapped(by: run)
    let result = await run.end()
    #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
    #expect(mapped["bench-api"]?.isSuperset(of: ["libcurl", "libssl", "libcrypto"]) == true, "\(mapped)")
    #expect(mapped["mock-gateway"] == [], "\(mapped)")
  }

  /// A machine without a libcurl: the linker's first look finds a file that is none.
  private static func withoutLibcurl() throws -> Scratch {
    let scratch = try Scratch()
    scratch.write("libcurl.so.4", "")
    return scratch
  }

  @Test(arguments: [
    ("bench-api", ["--iterations", "1"]), ("bench-exhaustion", BenchRun.smallPool),
    ("bench-api", ["--iterations", "1", "--repeat", "3"]),
    ("bench-api", ["--cluster", "c", "--region", "eu-west-1", "--ecs-endpoint-url", "http://127.0.0.1:9"]),
    ("bench-e2e", ["--count", "1", "--cold-by", "run-task"]), ("bench-concurrent", ["--cold-by", "run-task"]),
  ])
  func withoutItARunThatNeedsItFailsBeforeItStartsOrWritesAnything(tool: String, arguments: [String]) async throws {
    let library = try Self.withoutLibcurl()
    // Beside this copy there is no gateway to start: a tool that tried would say so.
    let scratch = try Scratch()
    for name in ["infrabench", tool] {
      try FileManager.default.copyItem(atPath: try Tool(name: name).path, toPath: scratch(name))
    }
    let result = try await Tool.start(
      [scratch(tool)] + arguments + ["--output-dir", scratch("results")],
      environment: ["GATEWAY_URL": "", "GATEWAY_TOKEN": "", "LD_LIBRARY_PATH": library.path, "TMPDIR": scratch.path],
      in: scratch.path
    ).end()
    #expect(result.status == .exited(1), "\(result)")
    let error =
      "error: calls of AWS are made with libcurl, which is not installed here: install it, on Debian and "
      + "Ubuntu with 'apt-get install libcurl4' ("
    #expect(result.standardError.components(separatedBy: error).count == 2, "\(result)")
    #expect(result.standardError.contains("libcurl.so.4: file too short)"), "\(result)")
    #expect(!result.standardError.contains("mock-gateway"), "\(result)")
    #expect(scratch.names(in: "")?.sorted() == [tool, "infrabench"].sorted())
  }

  @Test func withoutItAllOtherToolsWork() async throws {
    let library = try Self.withoutLibcurl()
    let environment = ["LD_LIBRARY_PATH": library.path]
    for (tool, arguments) in [
      ("bench-allocation", ["--count", "2"] + BenchRun.smallPool), ("bench-dirinit", ["--count", "2"]),
      ("bench-e2e", ["--count", "2"] + BenchRun.smallPool),
      ("bench-concurrent", ["--concurrency", "2"] + BenchRun.smallPool),
    ] {
      let result = try await BenchRun.run(tool, arguments + BenchRun.anySpeed, environment: environment)
      #expect(result.status == .exited(0), "\(tool): \(result.output)\(result.talk)")
    }
  }

  /// A library of the right name that lacks a function; the C compiler of Swift's toolchain makes it.
  @Test(.enabled(if: Tool.isInstalled("clang") || Tool.isInstalled("cc"), "needs a C compiler"))
  func oneThatIsTooOldIsRefusedByItsMissingFunction() async throws {
    let scratch = try Scratch()
    let compiler = Tool.isInstalled("clang") ? "clang" : "cc"
    let source = scratch.write("old.c", "int curl_global_init(long flags) { return (int)flags; }\n")
    let made = try await Tool.start(
      ["/usr/bin/env", compiler, "-shared", "-fPIC", "-o", scratch("libcurl.so.4"), source], in: scratch.path
    ).end()
    try #require(made.status == .exited(0), "\(made)")
    let result = try await BenchRun.run(
      "bench-api", ["--iterations", "1"], environment: ["LD_LIBRARY_PATH": scratch.path])
    #expect(result.status == .exited(1), "\(result.talk)")
    #expect(result.talk.contains("libcurl, which is too old here: install 7.68 or later, on Debian"), "\(result.talk)")
    #expect(result.talk.contains("undefined symbol: curl_easy_init"), "\(result.talk)")
  }
}
