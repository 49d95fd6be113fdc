public import Foundation

/// Programs in Python that nobody here wrote. The interpreter is `INFRABENCH_PYTHON`, else `python3`.
public enum Python {
  /// A path, or a name to look up.
  public static var interpreter: String { ProcessInfo.processInfo.environment["INFRABENCH_PYTHON"] ?? "python3" }

  /// Whether a module can be imported; tests that need it are skipped with a note otherwise.
  public static func canImport(_ module: String) -> Bool {
    let process = command(["-c", "import \(module)"])
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  /// Runs a script to its end.
  public static func run(
    _ arguments: [String], environment: [String: String] = [:]
  ) async throws -> (status: Int32, output: String) {
    try await command(arguments, environment: environment).outcome()
  }

  /// A process that is not started yet.
  public static func command(_ arguments: [String], environment: [String: String] = [:]) -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [interpreter] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    return process
  }
}

extension Process {
  /// Runs it to its end without keeping a thread of the tests' waiting; what it wrote, on standard error too.
  public func outcome() async throws -> (status: Int32, output: String) {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("infrabench-\(UUID().uuidString).out")
    _ = FileManager.default.createFile(atPath: file.path, contents: nil)
    defer { try? FileManager.default.removeItem(at: file) }
    let handle = try FileHandle(forWritingTo: file)
    standardOutput = handle
    standardError = handle
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      terminationHandler = { _ in continuation.resume() }
      do { try run() } catch { continuation.resume(throwing: error) }
    }
    return (terminationStatus, try String(contentsOf: file, encoding: .utf8))
  }
}
