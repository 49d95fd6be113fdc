import Glibc
import Latency
import ProcessControl
import Testing

@Suite struct BoundedProcessTests {
  private static func run(
    _ script: String, timeout: Nanoseconds = .seconds(20), bytes: Int = 100_000
  ) async -> Result<BoundedProcess.Output, BoundedProcess.Failure> {
    await BoundedProcess.run(
      ProcessRequest(executable: "sh", arguments: ["-c", script], standardInput: .null),
      timeout: timeout, maximumBytes: bytes)
  }

  @Test func outputAndStatusComeWhole() async throws {
    let output = try await BoundedProcessTests.run("printf abc; printf wrong >&2; exit 7").get()
    #expect(output.status == .exited(7))
    #expect(String(decoding: output.standardOutput, as: UTF8.self) == "abc")
    #expect(String(decoding: output.standardError, as: UTF8.self) == "wrong")
  }

  @Test func outputUpToTheBoundIsWholeAndMoreIsAFailure() async throws {
    let whole = try await BoundedProcessTests.run("head -c 100000 /dev/zero").get()
    #expect(whole.standardOutput.count == 100_000)
    guard case .failure(.tooMuchOutput) = await BoundedProcessTests.run("head -c 100001 /dev/zero; sleep 60") else {
      throw Unexpected()
    }
  }

  @Test func ofManyComplaintsTheBeginningIsKept() async throws {
    let output = try await BoundedProcessTests.run("printf begin >&2; head -c 1000000 /dev/zero >&2; printf x").get()
    #expect(output.standardError.count == 4_096)
    #expect(output.standardError.starts(with: Array("begin".utf8)))
    #expect(output.standardOutput == Array("x".utf8))
  }

  @Test func closedOutputsAreNoEnd() async throws {
    let output = try await BoundedProcessTests.run("exec >&- 2>&-; sleep 0.2; exit 5").get()
    #expect(output.status == .exited(5))
  }

  @Test func aProgramThatDoesNotEndIsAFailure() async throws {
    guard case .failure(let failure) = await BoundedProcessTests.run("sleep 60", timeout: .milliseconds(300)) else {
      throw Unexpected()
    }
    #expect("\(failure)" == "'sh' did not end within 300 ms")
  }

  @Test func aCancelledRunEndsAtOnce() async throws {
    let task = Task { await BoundedProcessTests.run("exec sleep 60", timeout: .seconds(60)) }
    task.cancel()
    guard case .failure(.cancelled) = await task.value else { throw Unexpected() }
  }

  @Test func whatCannotBeStartedIsNamed() async throws {
    let result = await BoundedProcess.run(
      ProcessRequest(executable: "/no/such"), timeout: .seconds(1), maximumBytes: 10)
    guard case .failure(.notStarted(let error)) = result else { throw Unexpected() }
    #expect(error.isNotFound)
  }

  private struct Unexpected: Error {}
}
