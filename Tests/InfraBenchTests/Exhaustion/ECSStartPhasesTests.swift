import AWS
import FoundationEssentials
import Latency
import Testing

@testable import InfraBench
@testable import Results

@Suite struct ECSStartPhasesTests {
  private func phases(_ instants: String) throws -> ECSStartPhases.Phases? {
    let json = #"{"taskArn": "arn:aws:ecs:r:1:task/c/t", "lastStatus": "RUNNING"\#(instants)}"#
    var phases = ECSStartPhases()
    phases.note(try JSONDecoder().decode(ECSTask.self, from: Data(json.utf8)))
    return phases["t"]
  }

  @Test func instantsInENotationGivePhasesToTheMicrosecond() throws {
    let found = try phases(
      #", "createdAt": 1.763683200123E9, "pullStartedAt": 1763683201.5, "pullStoppedAt": 1.7636832045E9, "startedAt": 1763683207.123"#
    )
    #expect(found == .init(imagePull: 3_000_000_000, pendingToRunning: 7_000_000_000))
  }

  @Test(arguments: [
    "", #", "createdAt": 5"#, #", "createdAt": 9, "startedAt": 5"#, #", "createdAt": 0, "startedAt": 1e300"#,
  ])
  func instantsThatAreMissingOrAbsurdGiveNone(instants: String) throws {
    #expect(try phases(instants) == .init(imagePull: nil, pendingToRunning: nil))
  }

  @Test func aTaskThatWasNotSeenRunningHasNone() {
    #expect(ECSStartPhases()["t"] == nil)
  }
}
