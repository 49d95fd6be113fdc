import LoadEngine
import Testing

@testable import InfraBench
@testable import Results

@Suite struct CommonestErrorTests {
  private func tally(_ failures: [(String, String)]) -> ErrorTally {
    var recording = Recording(Catalogue(metrics: ["m"], counters: []))
    for (kind, example) in failures { recording.fail(kind, example) }
    return recording.errors
  }

  @Test func withoutAFailureThereIsNone() { #expect(tally([]).commonestWords == nil) }

  @Test func theMostFrequentKindIsNamedWithItsFirstExample() {
    let errors = tally([("timeout", "late"), ("reset", "first"), ("reset", "second")])
    #expect(errors.commonestWords == "the commonest error (2 of 3): reset: first")
  }

  @Test func ofEquallyFrequentKindsItIsTheFirst() {
    #expect(tally([("a", "x"), ("b", "y")]).commonestWords == "the commonest error (1 of 2): a: x")
    #expect(tally([("a", ""), ("a", "")]).commonestWords == "the commonest error (2): a")
  }

  @Test func anExampleStaysOnOneLine() {
    #expect(tally([("a", "x\ny\u{1b}[2J")]).commonestWords == "the commonest error (1): a: x y [2J")
  }
}
