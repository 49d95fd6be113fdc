import FoundationEssentials
import Glibc
import ProcessControl

@testable import InfraBench
@testable import Results

/// A built program of the suite, run as people run it.
struct Tool: Sendable {
  /// How a run ended, and what it said.
  struct Outcome: Sendable {
    var status: ExitStatus
    var standardOutput: String
    var standardError: String
  }

  /// A program that runs; its output goes to files, so that it never waits for a reader.
  struct Running: Sendable {
    let child: ChildProcess
    fileprivate let output: OwnedDescriptor
    fileprivate let errors: OwnedDescriptor

    /// Waits for the end, at most for `timeout`; then it is killed, and the status says so.
    func end(within timeout: Duration = .seconds(40)) async -> Outcome {
      let killer = Task {
        guard (try? await Task.sleep(for: timeout)) != nil else { return }
        child.signal(SIGKILL)
      }
      let status = await child.waitForExit()
      killer.cancel()
      return Outcome(status: status, standardOutput: text(of: output), standardError: text(of: errors))
    }

    /// What it has written so far.
    var standardOutputSoFar: String { text(of: output) }
    var standardErrorSoFar: String { text(of: errors) }

    private func text(of file: OwnedDescriptor) -> String {
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 65_536)
      while case let count = pread(file.descriptor, &buffer, buffer.count, bytes.count), count > 0 {
        bytes += buffer.prefix(count)
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  let name: String

  /// Starts it in `directory`, with the tests' environment and `environment` on top.
  ///
  /// - Parameter launcher: Words before the program's path, such as `setpriv …`, which starts it in its turn.
  func start(
    _ arguments: [String], environment: [String: String] = [:], in directory: String, through launcher: [String] = []
  ) async throws -> Running {
    try await Self.start(launcher + [try path] + arguments, environment: environment, in: directory)
  }

  /// Starts any program, by its words.
  static func start(
    _ words: [String], environment: [String: String] = [:], in directory: String
  ) async throws -> Running {
    let output = try unnamedFile()
    let errors = try unnamedFile()
    let child = try await ProcessKeeper.shared.spawn(
      ProcessRequest(
        executable: words[0], arguments: Array(words.dropFirst()),
        environment: ProcessInfo.processInfo.environment.merging(offline) { $1 }.merging(environment) { $1 },
        workingDirectory: directory,
        standardInput: .null, standardOutput: .descriptor(output), standardError: .descriptor(errors),
        diesWithParent: true))
    return Running(child: child, output: output, errors: errors)
  }

  /// A tool that finds no credentials must not ask the machine on which the tests run for them.
  private static let offline = ["AWS_EC2_METADATA_DISABLED": "true"]

  /// Starts it and waits for its end.
  func run(
    _ arguments: [String], environment: [String: String] = [:], in directory: String, through launcher: [String] = [],
    timeout: Duration = .seconds(40)
  ) async throws -> Outcome {
    try await start(arguments, environment: environment, in: directory, through: launcher).end(within: timeout)
  }

  /// Whether a program of the system is there.
  static func isInstalled(_ program: String) -> Bool {
    ["/usr/bin/", "/bin/"].contains { access($0 + program, X_OK) == 0 }
  }

  /// Where the build put it: beside the test bundle.
  var path: String {
    get throws {
      let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
      for candidate in [own] + CommandLine.arguments {
        // The bundle may lie some directories below the programs, and the runner elsewhere.
        var parts = candidate.split(separator: "/", omittingEmptySubsequences: false)
        while !parts.isEmpty {
          parts.removeLast()
          let path = (parts + [Substring(name)]).joined(separator: "/")
          if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
      }
      throw CocoaError(.fileNoSuchFile)
    }
  }

  private static func unnamedFile() throws -> OwnedDescriptor {
    var template = Array("/tmp/infrabench-test-XXXXXX".utf8CString)
    let file = mkstemp(&template)
    guard file >= 0 else { throw CocoaError(.fileWriteUnknown) }
    unlink(template)
    _ = fcntl(file, F_SETFD, FD_CLOEXEC)
    return OwnedDescriptor(file)
  }
}

extension Tool.Outcome {
  /// The result on standard output, of a run with `--print json`.
  var document: ResultDocument { get throws { try ResultCoding.decode(standardOutput, tools: .suite) } }
}
