import Foundation
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// The JSON Schema of profiles, which editors and other people's checks use, beside what the suite itself takes.
@Suite(
  .enabled(if: DocumentSchema.isAvailable, "needs Python's jsonschema; INFRABENCH_PYTHON names an interpreter"),
  .timeLimit(.minutes(2)))
struct ProfileSchemaTests {
  private func faults(_ texts: [String]) async throws -> [String] {
    let scratch = try ScratchDirectory()
    let paths = try texts.enumerated().map { try scratch.write("\($0 + 1000).json", $1) }
    return try await DocumentSchema.faults(inFilesAt: paths, schema: .gateway)
  }

  @Test func theSuitesOwnProfilesAndOneWithEveryKeyAreValid() async throws {
    let texts = try BuiltInProfiles.names.map { try #require(BuiltInProfiles.text(of: $0)) }
    let short = [ProfileMistake.acquire(), ProfileMistake.session()].map(ProfileMistake.profile)
    #expect(try await faults(texts + short + [ProfileFileTests.whole] + ProfileFileTests.unusual) == [])
  }

  /// What the suite refuses the schema refuses, where a schema can say it.
  @Test func theSchemaSeesTheMistakesThatItCanSee() async throws {
    let faults = try await faults(ProfileMistake.table.map(\.text))
    let seen = Set(faults.compactMap { Int($0.prefix(4)).map { $0 - 1000 } })
    for (number, mistake) in ProfileMistake.table.enumerated() {
      #expect(seen.contains(number) == mistake.isSeenBySchema, "\(mistake.testDescription): \(mistake.sentences)")
    }
    #expect(!faults.contains { $0.hasPrefix("the validator failed") }, "\(faults.prefix(1))")
  }
}
