import ArgumentParser
import FoundationEssentials
import Glibc
import LoadEngine
import Results
import Testing

@testable import InfraBench
import Results

/// What bench-verify is told: everything wrong is said at once, and nothing of other people's is touched unconfirmed.
struct VerifyOptionTests {
  private func read(_ arguments: [String]) throws -> (parameters: [String: String], problems: [String]) {
    var reader = OptionReader(environment: [:])
    let command = try VerifyCommand.parse(["--seed", "1", "--user-id", "u", "--output-dir", "/tmp"] + arguments)
    let run = command.prepare(&reader)
    return (run.parameters.mapValues(\.description), reader.problems.sentences)
  }

  @Test func withoutOptionsAllChecksAreMade() throws {
    let (parameters, problems) = try read([])
    #expect(problems == [])
    #expect(parameters["checks"] == "fallback,resume,storm,isolation,churn")
    #expect(parameters["users"] == "5" && parameters["rate"] == "5/s" && parameters["duration"] == "10s")
    #expect(parameters["recovery"] == "30s" && parameters["timeout"] == "30s" && parameters["end"] == "disconnect")
    #expect(parameters["gap"] == nil && parameters["faults"] == nil)
  }

  @Test func everyOptionReachesTheRun() throws {
    let (parameters, problems) = try read([
      "--check", "churn,resume", "--rounds", "3", "--gap", "2s", "--rate", "30/m", "--duration", "1m", "--recovery",
      "5s", "--faults", "seed=4; task-death", "--timeout", "7s", "--remember", "keep {nonce}", "--recall", "tell",
      "--expect", "= {nonce}",
    ])
    #expect(problems == [])
    #expect(parameters["checks"] == "resume,churn" && parameters["rounds"] == "3" && parameters["gap"] == "2s")
    #expect(parameters["rate"] == "30/m" && parameters["faults"] == "seed=4; task-death")
    #expect(parameters["remember"] == "keep {nonce}" && parameters["expect"] == "= {nonce}")
  }

  @Test func everythingWrongIsSaidAtOnce() throws {
    let (_, problems) = try read([
      "--check", "resume,sleep,churn", "--users", "1", "--rounds", "0", "--gap", "soon", "--end", "crash", "--rate",
      "fast", "--duration", "1ms", "--recovery", "0s", "--faults", "task-dead; answer-slow:p=2", "--remember", "x",
      "--expect", "(", "--timeout", "0s", "--task-uids", "0-5", "--confirm-drain", "h", "--confirm-stop", "s",
    ])
    let options = Set(problems.map { String($0.prefix { $0 != ":" }) })
    #expect(
      options.isSuperset(of: [
        "--check", "--users", "--rounds", "--gap", "--end", "--rate", "--duration", "--recovery", "--faults",
        "--remember", "--expect", "--timeout", "--task-uids", "--confirm-drain", "--confirm-stop",
      ]), "\(problems)")
    #expect(problems.count { $0.hasPrefix("--faults: ") } == 2)
  }

  @Test(
    arguments: [
      (["--check", ""], "--check"), (["--check", "churn,"], "--check"),
      (["--gateway-url", "http://127.0.0.1:1", "--ab-gateway-url", "http://127.0.0.1:2"], "--ab-gateway-url"),
      (["--check", "resume", "--users", "3"], "--users"), (["--check", "storm", "--faults", "all"], "--faults"),
      (["--check", "isolation", "--recovery", "3s"], "--recovery"), (["--check", "churn", "--gap", "3s"], "--gap"),
      (["--remember", "{nonce}"], "--remember"), (["--recall", "x"], "--recall"),
      (["--remember", "{nonce}", "--recall", "tell {nonce}"], "--recall"),
      (["--remember", "two\nlines {nonce}", "--recall", "x"], "--remember"),
      (["--faults", "/nonexistent/f.json"], "--faults"),
      (["--gateway-url", "http://127.0.0.1:1", "--faults", "all"], "--faults"),
      (["--gateway-url", "http://127.0.0.1:1", "--task-uids", "4000-4020"], "--task-uids"),
      (["--task-uids", "2000-1000"], "--task-uids"), (["--task-uids", "2000"], "--task-uids"),
      (["--task-uids", "1000-4294967295"], "--task-uids"),
      (["--cluster", "c", "--region", "eu-west-1", "--check", "resume", "--end", "stop-task"], "--end"),
    ])
  func aWrongOptionIsNamed(_ arguments: [String], _ option: String) throws {
    let (_, problems) = try read(arguments)
    #expect(problems.count == 1 && problems[0].hasPrefix("\(option): "), "\(problems)")
  }

  private static let remote = ["--gateway-url", "https://gw.example"]

  @Test func offLoopbackADrainingCheckIsLeftOutUntilItIsConfirmed() throws {
    var reader = OptionReader(environment: [:])
    let command = try VerifyCommand.parse(Self.remote)
    _ = command.prepare(&reader)
    #expect(reader.problems.isEmpty, "by default they are not tested, and the report says why")
    #expect(try read(Self.remote + ["--check", "resume,storm,isolation"]).problems == [])
    #expect(try read(Self.remote + ["--check", "fallback", "--confirm-drain", "GW.example"]).problems == [])
    for check in ["fallback", "churn", "resume,churn"] {
      let problems = try read(Self.remote + ["--check", check]).problems
      #expect(problems.count == 1 && problems[0].hasPrefix("--confirm-drain: "), "\(problems)")
    }
    let strange = try read(Self.remote + ["--confirm-drain", "other.example"]).problems
    #expect(strange == ["--confirm-drain: 'other.example' is not the gateway's host, 'gw.example'"])
  }

  @Test func aTaskIsStoppedOnlyInTheServiceThatIsNamedTwice() throws {
    let stop = Self.remote + ["--check", "resume", "--end", "stop-task"]
    #expect(try read(stop).problems.map { $0.prefix(5) } == ["--end"])
    let service = stop + ["--cluster", "c", "--service", "pool", "--region", "eu-west-1"]
    #expect(try read(service).problems.map { $0.prefix(14) } == ["--confirm-stop"])
    #expect(try read(service + ["--confirm-stop", "other"]).problems.map { $0.prefix(14) } == ["--confirm-stop"])
    #expect(try read(service + ["--confirm-stop", "pool"]).problems == [])
    // A family or a mark may name tasks of several services.
    let family = stop + ["--cluster", "c", "--family", "pool", "--region", "eu-west-1", "--confirm-stop", "pool"]
    #expect(try read(family).problems.map { $0.prefix(5) } == ["--end"])
  }

  @Test(.enabled(if: geteuid() != 0, "only others than root are refused"))
  func onlyRootGivesUids() throws {
    #expect(try read(["--task-uids", "10000-19999"]).problems.map { $0.prefix(11) } == ["--task-uids"])
  }

  @Test(.enabled(if: geteuid() == 0, "only root gives uids")) func rootMayGiveUids() throws {
    let (parameters, problems) = try read(["--task-uids", "10000-19999"])
    #expect(problems == [] && parameters["taskUids"] == "10000-19999")
  }

  @Test func helpIsTheGoldenOne() throws {
    try Golden.expect(VerifyCommand.helpMessage(columns: 100), "bench-verify-help.txt")
  }
}
