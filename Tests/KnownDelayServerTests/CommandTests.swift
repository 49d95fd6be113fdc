import ArgumentParser
import Latency
import Testing

@testable import KnownDelayServer

struct CommandTests {
  @Test func optionsBecomeAPlan() throws {
    let words = "--delay 1.5ms --slow-every 100 --slow 200ms --deaf 1s --deaf-every 5s"
    let plan = try KnownDelayCommand.parse(words.split(separator: " ").map(String.init)).plan()
    #expect(
      plan
        == DelayPlan(
          delay: .microseconds(1500), slow: DelayPlan.SlowShare(every: 100, delay: .milliseconds(200)),
          stall: Stall(length: .seconds(1), period: .seconds(5))))
  }

  @Test func wrongDurationsAreToldWhatToWrite() throws {
    for words in [["--delay", "5"], ["--slow", "5 s"], ["--deaf", ".s"], ["--deaf-every", "2h"]] {
      let error = try #require(throws: (any Error).self) { try KnownDelayCommand.parse(words) }
      #expect(KnownDelayCommand.message(for: error).contains("write a number and a unit, such as 200us, 5ms or 1.5s"))
    }
  }

  @Test func theHelpShowsTheFormulaOnOneLineAndThereIsAVersion() {
    #expect(
      KnownDelayCommand.helpMessage(columns: 80).split(separator: "\n").contains {
        $0.contains("P(q) = deaf − (1 − q) × deaf-every")
      })
    #expect(!KnownDelayCommand.configuration.version.isEmpty)
  }

  @Test(arguments: [
    "--delay 5", "--delay -5ms", "--delay 5min", "--delay 1e3ms", "--delay 2000000s", "--slow-every 100",
    "--slow 200ms", "--slow-every 0 --slow 1ms", "--deaf 1s", "--deaf-every 5s", "--deaf 5s --deaf-every 5s",
    "--deaf 0s --deaf-every 5s", "--port 65536",
  ])
  func wrongUsageIsRefused(_ words: String) {
    #expect(throws: (any Error).self) {
      try KnownDelayCommand.parse(words.split(separator: " ").map(String.init))
    }
  }
}
