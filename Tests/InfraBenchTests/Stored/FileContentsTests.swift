import Foundation
import Glibc
import TestSupport
import Testing

@testable import InfraBench
@testable import Comparison
@testable import Results

/// How bench-report and bench-compare read a file, and what they say of one that can't be read.
@Suite struct FileContentsTests {
  private let scratch: ScratchDirectory

  init() throws { scratch = try ScratchDirectory() }

  private func failure(_ name: String, ordinaryOnly: Bool = false) -> FileReadError? {
    do throws(FileReadError) {
      _ = try FileContents("\(scratch.path)/\(name)", ordinaryOnly: ordinaryOnly)
      return nil
    } catch {
      return error
    }
  }

  @Test func aFileIsReadWhole() throws {
    for count in [0, 1, 65_536, 200_000] {
      let text = String(repeating: "x", count: count)
      let path = try scratch.write("\(count).json", text)
      for ordinaryOnly in [false, true] {
        #expect(try FileContents(path, ordinaryOnly: ordinaryOnly).bytes == Array(text.utf8))
      }
    }
  }

  @Test func aFileIsTheSameByWhateverNameItIsRead() throws {
    let path = try scratch.write("a.json", "1")
    symlink(path, "\(scratch.path)/soft.json")
    link(path, "\(scratch.path)/hard.json")
    let identity = try FileContents(path).identity
    #expect(try FileContents("\(scratch.path)/soft.json").identity == identity)
    #expect(try FileContents("\(scratch.path)/hard.json").identity == identity)
    #expect(try FileContents(scratch.write("b.json", "1")).identity != identity)
    #expect(ResultFileSearch([path]).files == [ResultFile(path: path, identity: identity)])
  }

  @Test func whatIsNoOrdinaryFileIsNotWaitedFor() throws {
    mkfifo("\(scratch.path)/pipe", 0o600)
    #expect(failure("pipe", ordinaryOnly: true) == .notOrdinary)
    #expect(failure("", ordinaryOnly: true) == .folder && failure("") == .folder)
    #expect(failure("gone") == .system(ENOENT))
    #expect(FileReadError.system(ENOENT).description == "can't be read: No such file or directory")
  }

  /// A pipe can be read where it was named on purpose, as by `bench-report <(…)`.
  @Test func aPipeThatIsNamedIsRead() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    #expect(write(ends[1], "{}", 2) == 2)
    close(ends[1])
    defer { close(ends[0]) }
    #expect(try FileContents("/proc/self/fd/\(ends[0])").bytes == Array("{}".utf8))
  }

  @Test func aFileBeyondTheLimitIsRefusedByBothTools() async throws {
    let path = try scratch.write("large.json", "")
    #expect(truncate(path, FileContents.limit + 1) == 0)
    #expect(failure("large.json") == .tooLarge)
    #expect(await StoredRuns.load([path], .suite).excluded.map(\.reason) == ["it is larger than any result"])
    do throws(ResultReadError) {
      _ = try ResultReader.suite.read(path)
      Issue.record("it was read")
    } catch {
      #expect(error.description == "'\(path)' is larger than any result")
    }
  }

  private struct Sample: Decodable {
    struct Inner: Decodable { var number: UInt8 }
    var list: [Inner]
  }

  @Test(
    arguments: [
      ("", .noJSON), ("{", .noJSON), ("[]", .noObject), ("null", .noObject), ("7", .noObject),
      ("{}", .missing("list is missing")), (#"{"list": 1}"#, .wrong("list is of the wrong kind")),
      (#"{"list": null}"#, .wrong("list is of the wrong kind")), (#"{"list": [{"number": 1}]}"#, nil),
    ] as [(String, DecodingFault?)])
  func aFaultNamesItsField(text: String, fault: DecodingFault?) {
    do {
      _ = try JSONDecoder().decode(Sample.self, from: Data(text.utf8))
      #expect(fault == nil)
    } catch {
      #expect(DecodingFault(error, in: Data(text.utf8)) == fault)
    }
  }

  @Test(arguments: ["2026-11-20T21:00:00.123Z", "2024-02-29T23:59:59.999Z", "2026-01-01T00:00:00.000Z"])
  func anInstantIsOne(_ text: String) { #expect(Timestamp.isWritten(text)) }

  @Test(
    arguments: [
      "", "2026-11-20", "2026-11-20T21:00:00Z", "2026-11-20T21:00:00.123", "2026-11-20T21:00:00.123+01:00",
      "2026-11-20 21:00:00.123Z", "2026-02-29T21:00:00.123Z", "2026-13-01T21:00:00.123Z", "2026-11-20T24:00:00.000Z",
      "2026-11-20T21:60:00.000Z", "2026-11-20T21:00:60.000Z", "2026-11-20T21:00:00.12xZ", "２026-11-20T21:00:00.123Z",
      "2026-11-20T21:00:00.123Z\n", "-026-11-20T21:00:00.123Z",
    ])
  func whatIsNoInstantIsNone(_ text: String) async throws {
    #expect(!Timestamp.isWritten(text))
    // To neither tool.
    var document = StoredSamples.run([1_000_000])
    document.startedAt = text
    #expect(ResultRules.violation(in: document) == "startedAt is no time in UTC with milliseconds")
    let path = try scratch.write("a.json", ResultCoding.encode(document))
    #expect(
      await StoredRuns.load([path], .suite).excluded.map(\.reason) == ["startedAt is no time in UTC with milliseconds"])
  }
}
