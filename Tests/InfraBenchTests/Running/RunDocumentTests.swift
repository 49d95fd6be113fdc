import FoundationEssentials
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

struct RunDocumentTests {
  private static let start = Date(timeIntervalSince1970: 1_800_000_000)
  private let scratch: ScratchDirectory
  private let files: RunResultFiles

  init() throws {
    scratch = try ScratchDirectory()
    files = RunResultFiles(
      OutputSettings(
        directory: scratch.path, formats: [.json, .md], label: nil, print: .text, isQuiet: false, usesColor: false,
        allowsSaturated: false))
  }

  private func forms(_ note: String) throws -> RunResultFiles.Forms {
    var document = SampleDocuments.typical
    document.notes = [note]
    return try RunResultFiles.Forms(document)
  }

  private func notes(at paths: [String]) throws -> [String] {
    let path = try #require(paths.first { $0.hasSuffix(".json") })
    return try ResultCoding.decode(String(contentsOf: URL(filePath: path), encoding: .utf8), tools: .suite).notes
  }

  @Test func theFinalResultReplacesTheInterimOne() throws {
    let interim = try files.write(forms("interim"), startedAt: Self.start, isFinal: false)
    #expect(try notes(at: interim) == ["interim"])
    let final = try files.write(forms("final"), startedAt: Self.start, isFinal: true)
    #expect(try final == interim && notes(at: final) == ["final"])
  }

  @Test func anInterimResultThatComesLateWritesNothing() throws {
    // A signal at the very end begins it on a thread of its own, which may be slow.
    let final = try files.write(forms("final"), startedAt: Self.start, isFinal: true)
    #expect(try files.write(forms("interim"), startedAt: Self.start, isFinal: false) == final)
    #expect(try notes(at: final) == ["final"])
  }
}
