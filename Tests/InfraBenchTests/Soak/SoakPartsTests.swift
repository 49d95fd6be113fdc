import Foundation
import Glibc
import Latency
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// The small parts that a soak is made of.
@Suite struct SoakPartsTests {
  // MARK: The file

  @Test func eachLineIsInTheFileWhenTheCallReturns() throws {
    let scratch = try ScratchDirectory()
    let path = scratch.path + "/a"
    var writer = SoakFileWriter(descriptor: open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644))
    for line in ["head\n", "minute\n"] {
      writer.append(line)
      #expect(writer.failure == nil && writer.isWhole)
      #expect(try String(contentsOfFile: path, encoding: .utf8).hasSuffix(line))
    }
  }

  @Test func onAFullDiskLinesWaitAndAreSaid() {
    var writer = SoakFileWriter(descriptor: open("/dev/full", O_WRONLY))
    writer.append("head\n")
    #expect(writer.failure == "No space left on device" && !writer.isWhole && writer.lost == 0)
    for _ in 0..<60 { writer.append("minute\n") }
    #expect(writer.lost == 1 && !writer.isWhole)
  }

  /// The limit of a file's size stands in for the disk: what waits is written when there is room again.
  @Test func whatWaitedIsWrittenInItsOrderAndNoPartOfALineStays() async throws {
    let scratch = try ScratchDirectory()
    let path = scratch.path + "/a"
    #expect(mkfifo(scratch.path + "/pipe", 0o600) == 0)
    // A pipe of 4 KB that nobody reads is full after its first lines, and has room again when it is read.
    let reader = open(scratch.path + "/pipe", O_RDONLY | O_NONBLOCK)
    let descriptor = open(scratch.path + "/pipe", O_WRONLY | O_NONBLOCK)
    defer { close(reader) }
    let size = Int(fcntl(descriptor, 1031 /* F_SETPIPE_SZ */, 4096))
    #expect(size >= 4096)
    var writer = SoakFileWriter(descriptor: descriptor)
    let lines = (0..<5).map { number in "\(number)" + String(repeating: "x", count: 998) + "\n" }
    for line in lines { writer.append(line) }
    #expect(!writer.isWhole && writer.failure != nil)
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var text = String(decoding: buffer[..<max(0, read(reader, &buffer, buffer.count))], as: UTF8.self)
    writer.append("last\n")
    #expect(writer.isWhole && writer.failure == nil)
    text += String(decoding: buffer[..<max(0, read(reader, &buffer, buffer.count))], as: UTF8.self)
    #expect(text == lines.joined() + "last\n")
    _ = path
  }

  /// Nothing can be taken back from a pipe, and a line that is longer than it is written in part.
  @Test func aPartOfALineThatCanNotBeTakenBackIsEndedBeforeTheNextOne() throws {
    let scratch = try ScratchDirectory()
    #expect(mkfifo(scratch.path + "/pipe", 0o600) == 0)
    let reader = open(scratch.path + "/pipe", O_RDONLY | O_NONBLOCK)
    let descriptor = open(scratch.path + "/pipe", O_WRONLY | O_NONBLOCK)
    defer { close(reader) }
    let size = Int(fcntl(descriptor, 1031 /* F_SETPIPE_SZ */, 4096))
    #expect(size >= 4096)
    var writer = SoakFileWriter(descriptor: descriptor)
    let line = String(repeating: "x", count: size + 2000) + "\n"
    writer.append(line)
    #expect(!writer.isWhole && writer.failure != nil)
    var buffer = [UInt8](repeating: 0, count: 8 * size)
    let part = String(decoding: buffer[..<max(0, read(reader, &buffer, buffer.count))], as: UTF8.self)
    #expect(!part.isEmpty && part.utf8.count < line.utf8.count)
    let enlarged = Int(fcntl(descriptor, 1031, Int32(4 * size)))
    #expect(enlarged >= 4 * size)
    writer.append("last\n")
    let rest = String(decoding: buffer[..<max(0, read(reader, &buffer, buffer.count))], as: UTF8.self)
    #expect(rest == "\n" + line + "last\n")
    // All is written, and the file has a line that nobody can read.
    #expect(writer.failure == nil && !writer.isWhole)
  }

  // MARK: Processes

  @Test func aProcessWithAnyNameIsRead() throws {
    let stat = "4711 (a) b (c) S 1 2 3 0 -1 4194560 1 0 0 0 250 150 9 9 20 0 7 0 1 2 3"
    let figures = try #require(
      ProcessFigures(
        statm: "1000 500 300 1 0 200 0\n", stat: stat, descriptors: 12, pageSize: 4096, ticksPerSecond: 100))
    #expect(figures.rssBytes == 2_048_000 && figures.threads == 7 && figures.descriptors == 12)
    #expect(figures.cpuTime == .seconds(4))
  }

  @Test(arguments: ["", "4711 (x)", "4711 x S 1 2 3", "4711 (x) S 1 2 3 0 -1 4194560 1 0 0 0 a b 9 9 20 0 7 0"])
  func whatIsNoStatIsNone(_ stat: String) {
    #expect(ProcessFigures(statm: "1 2", stat: stat, descriptors: 0, pageSize: 4096, ticksPerSecond: 100) == nil)
  }

  @Test func thisProcessHasWhatTheSystemSays() throws {
    let before = try #require(ProcessFigures(getpid()))
    let file = open("/dev/null", O_RDONLY)
    defer { close(file) }
    let after = try #require(ProcessFigures(getpid()))
    // Other tests open and close files meanwhile.
    #expect(before.rssBytes > 1_000_000 && before.threads >= 1 && before.descriptors >= 3)
    let minute = try #require(after.minute(since: before, length: .seconds(1)))
    #expect(minute.cpu >= 0 && minute.rssBytes == after.rssBytes)
    #expect(ProcessFigures(0) == nil && ProcessFigures(Int32.max) == nil)
  }

  // MARK: The pool

  private let origin = Instant.distantPast + .seconds(100)

  @Test func aLookCountsUntilTheNextOne() throws {
    var looks = PoolLooks()
    looks.add(.init(warm: 4, assigned: 0, starting: 0), at: origin)
    looks.add(.init(warm: 0, assigned: 4, starting: 2), at: origin + .seconds(3))
    looks.add(.init(warm: 2, assigned: 2, starting: 2, oldestWarm: .seconds(9)), at: origin + .seconds(4))
    let minuteCut = looks.cut(at: origin + .seconds(5))
    let minute = try #require(minuteCut)
    #expect(minute.watchedSeconds == 5 && minute.emptySeconds == 1)
    #expect(minute.warm == (4 * 3 + 2 * 1) / 5.0 && minute.assigned == (4 * 1 + 2 * 1) / 5.0)
    #expect(minute.starting == 0.8 && minute.oldestWarmSeconds == 9)
    // The last look counts on.
    let nextCut = looks.cut(at: origin + .seconds(6))
    let next = try #require(nextCut)
    #expect(next.watchedSeconds == 1 && next.warm == 2 && next.emptySeconds == 0)
  }

  /// A gateway that freezes answers no look, and none fails before its time-out.
  @Test func aLookCountsForThreeSecondsAtMost() throws {
    var looks = PoolLooks()
    looks.add(.init(warm: 4, assigned: 0), at: origin)
    let firstCut = looks.cut(at: origin + .seconds(1))
    #expect(firstCut?.watchedSeconds == 1)
    let staleCut = looks.cut(at: origin + .seconds(60))
    #expect(staleCut?.watchedSeconds == 2)
    let frozenCut = looks.cut(at: origin + .seconds(120))
    #expect(frozenCut == nil)
    // A look after a long silence says nothing of the silence.
    looks.add(.init(warm: 0, assigned: 0), at: origin + .seconds(130))
    looks.add(.init(warm: 0, assigned: 0), at: origin + .seconds(150))
    let lateCut = looks.cut(at: origin + .seconds(151))
    #expect(lateCut?.watchedSeconds == 4 && lateCut?.emptySeconds == 4)
  }

  @Test func aMinuteWithoutALookOfItsOwnHasNoAgeOfATask() {
    var looks = PoolLooks()
    looks.add(.init(warm: 4, assigned: 0, oldestWarm: .seconds(9)), at: origin + .seconds(59))
    let first = looks.cut(at: origin + .seconds(60))
    #expect(first?.oldestWarmSeconds == 9)
    let second = looks.cut(at: origin + .seconds(120))
    #expect(second?.watchedSeconds == 2 && second?.warm == 4 && second?.oldestWarmSeconds == nil)
    // Nor one whose only look saw no warm task.
    looks.add(.init(warm: 2, assigned: 0, oldestWarm: .seconds(3)), at: origin + .seconds(121))
    looks.add(.init(warm: 0, assigned: 2), at: origin + .seconds(122))
    let third = looks.cut(at: origin + .seconds(123))
    #expect(third != nil && third?.oldestWarmSeconds == nil)
    // A look at the very end of a minute is no look of the next one.
    var late = PoolLooks()
    late.add(.init(warm: 1, assigned: 0, oldestWarm: .seconds(5)), at: origin)
    let fourth = late.cut(at: origin)
    let fifth = late.cut(at: origin + .seconds(1))
    #expect(fourth == nil && fifth?.warm == 1 && fifth?.oldestWarmSeconds == nil)
  }

  @Test func timeAroundAFailedLookCountsForNothing() throws {
    var looks = PoolLooks()
    looks.add(.init(warm: 0, assigned: 1), at: origin)
    looks.add(nil, at: origin + .seconds(1))
    looks.add(.init(warm: 1, assigned: 1), at: origin + .seconds(5))
    let minuteCut = looks.cut(at: origin + .seconds(6))
    let minute = try #require(minuteCut)
    #expect(minute.watchedSeconds == 1 && minute.emptySeconds == 0 && minute.starting == nil)
    var none = PoolLooks()
    none.add(nil, at: origin)
    let nothing = none.cut(at: origin + .seconds(9))
    #expect(nothing == nil)
  }
}
