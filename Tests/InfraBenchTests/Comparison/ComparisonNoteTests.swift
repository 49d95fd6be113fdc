import Testing

@testable import InfraBench
@testable import Comparison
@testable import Results

struct ComparisonNoteTests {
  @Test func twoDaysAreNoProofOfWhatWasChanged() async throws {
    func notes(_ old: [String], _ new: [String]) async throws -> [String] {
      let sides = [old, new].map { days in days.flatMap { SampleRuns.documents(3, day: $0) } }
      return try await SampleRuns.compare(sides[0], sides[1]).notes
    }
    let note = try await notes(["2026-11-20"], ["2026-11-21"]).filter { $0.hasPrefix("all OLD runs are of 2026-11-20") }
    #expect(note.count == 1)
    #expect(try await notes(["2026-11-19", "2026-11-20"], ["2026-11-21"]).isEmpty)
  }

  @Test func runsOfOneDayInAlternationNeedNoNote() async throws {
    let documents = SampleRuns.documents(8)
    #expect(try await SampleRuns.compare(Array(documents[..<4]), Array(documents[4...])).notes.isEmpty)
  }

  @Test func environmentsThatDifferAreNamed() async throws {
    let changes: [(change: (inout ResultDocument) -> Void, words: String, isSerious: Bool)] = [
      ({ $0.environment.cpu = "Another CPU" }, "the CPU differs: 'A CPU' in OLD, 'Another CPU' in NEW", true),
      ({ $0.environment.logicalCores = 4 }, "the number of cores differs: '2' in OLD, '4' in NEW", true),
      ({ $0.environment.kernel = "Linux 7" }, "the kernel differs: 'Linux 6.1' in OLD, 'Linux 7' in NEW", true),
      ({ $0.environment.memoryBytes = 16 << 30 }, "the memory differs: '8.0 GiB' in OLD, '16.0 GiB' in NEW", false),
      ({ $0.environment.os = "Other" }, "the system differs: 'Debian GNU/Linux 12' in OLD, 'Other' in NEW", false),
      ({ $0.environment.hostname = "b" }, "the host differs: 'host' in OLD, 'b' in NEW", false),
      ({ $0.environment.swift = "7" }, "the tool's Swift differs: '6.3' in OLD, '7' in NEW", false),
      ({ $0.version = "0.2.1" }, "the tool's version differs: '0.2.0' in OLD, '0.2.1' in NEW", false),
    ]
    for (change, words, isSerious) in changes {
      let comparison = try await SampleRuns.compare(
        SampleRuns.documents(2), SampleRuns.documents(2, day: "2026-11-21", change: change))
      #expect(comparison.environmentDifferences == [EnvironmentDifference(sentence: words, isSerious: isSerious)])
    }
  }

  /// Figures of both sides of such a version are not of one kind, which no other difference says.
  @Test func aVersionSinceWhichFiguresMeanSomethingElseIsSaidWithWhatChanged() async throws {
    let old = SampleRuns.documents(2) { $0.version = "0.1.0" }
    let comparison = try await SampleRuns.compare(old, SampleRuns.documents(2, day: "2026-11-21"))
    let difference = try #require(comparison.environmentDifferences.first)
    #expect(comparison.environmentDifferences.count == 1 && difference.isSerious)
    #expect(
      difference.sentence.hasPrefix(
        "the tool's version differs: '0.1.0' in OLD, '0.2.0' in NEW: since 0.2.0 a request that meets its time-out"))
    for what in ["censored", "rate", "maxima and means", "saturation"] {
      #expect(difference.sentence.contains(what), "\(what)")
    }
    // Within one side it is the same.
    var mixed = SampleRuns.documents(2)
    mixed[0].version = "0.1.9-beta"
    #expect(BreakingVersions.sentence(across: Set(mixed.map(\.version))) != nil)
    for versions: Set<String> in [
      ["0.2.0", "0.3.0"], ["0.1.0", "0.1.5"], ["0.2.0-beta", "0.2.0"], ["0.2.0", "10.0.0"],
    ] {
      #expect(BreakingVersions.sentence(across: versions) == nil, "\(versions)")
    }
    #expect(SuiteVersion.version == "0.2.0")
  }

  @Test func gatewaysAreNamedWhereTheyDiffer() async throws {
    func at(_ url: String) -> (inout ResultDocument) -> Void {
      { document in
        document.target.kind = "remote"
        document.target.gatewayUrl = url
      }
    }
    let old = SampleRuns.documents(2, change: at("https://one.example"))
    let new = SampleRuns.documents(2, day: "2026-11-21", change: at("https://two.example"))
    let sentence = "the target differs: 'https://one.example' in OLD, 'https://two.example' in NEW"
    #expect(
      try await SampleRuns.compare(old, new).environmentDifferences
        == [EnvironmentDifference(sentence: sentence, isSerious: false)])
    // The port of an embedded gateway is another every time.
    let embedded = try await SampleRuns.compare(
      SampleRuns.documents(2) { $0.target.gatewayUrl = "http://127.0.0.1:1" },
      SampleRuns.documents(2, day: "2026-11-21") { $0.target.gatewayUrl = "http://127.0.0.1:2" })
    #expect(embedded.environmentDifferences.isEmpty)
  }

  /// As somebody who edited a copy has it.
  @Test func aRunCountsOnceWhateverWasMadeOfItsFigures() async throws {
    let old = SampleRuns.documents()
    var edited = old[2]
    edited.metrics["allocation"] = SampleDocuments.metric(SampleRuns.latencies(2))
    let comparison = try await SampleRuns.compare(old + [edited], SampleRuns.documents(day: "2026-11-21"))
    #expect(comparison.runsOld == 6 && comparison.excluded.map(\.file) == ["results/6.json"])
    #expect(comparison.excluded.first?.reason.hasPrefix("another file of the run in results/2.json") == true)
  }

  @Test func anEditedRunIsNotComparedToItself() async throws {
    let old = SampleRuns.documents()
    await #expect(throws: ComparisonError.sharedFiles(first: "results/1000.json", count: 6)) {
      try await SampleRuns.compare(old, SampleRuns.documents(factor: 2))
    }
  }

  @Test func unlikeMachinesWithinASideAreNamedToo() async throws {
    var old = SampleRuns.documents(3)
    old[1].environment.cpu = "Another CPU"
    let comparison = try await SampleRuns.compare(old, SampleRuns.documents(3, day: "2026-11-21"))
    #expect(
      comparison.environmentDifferences.map(\.sentence) == [
        "the CPU differs: 'A CPU' and 'Another CPU' in OLD, 'A CPU' in NEW"
      ])
  }

  @Test func whatLiesOnOneSideIsNamedWithWhatKeepsItApart() async throws {
    let new = SampleRuns.documents(2, day: "2026-11-21") {
      $0.parameters["count"] = 200
      $0.target.kind = "remote"
    }
    let comparison = try await SampleRuns.compare(SampleRuns.documents(3), new)
    #expect(comparison.groups.isEmpty)
    #expect(comparison.onlyOnOneSide.map(\.side) == [.old, .new] && comparison.onlyOnOneSide.map(\.runs) == [3, 2])
    #expect(
      comparison.workloadDifferences == [
        "bench-allocation is not compared: the kind of target is 'embedded' in OLD and 'remote' in NEW; "
          + "count is '100' in OLD and '200' in NEW"
      ])
    #expect(comparison.environmentDifferences.map(\.isSerious) == [true])
    let reasons = try #require(comparison.reasonsForNothing)
    #expect(reasons.first == "OLD and NEW have no tool under the same load in common" && reasons.count == 2)
  }

  @Test func whyNothingCanBeComparedIsSaid() async throws {
    func reasons(_ old: [ResultDocument], _ new: [ResultDocument]) async throws -> [String] {
      try #require(try await SampleRuns.compare(old, new).reasonsForNothing)
    }
    let usual = SampleRuns.documents(2)
    #expect(try await reasons([], usual) == ["there is no run to be compared in OLD, old"])
    #expect(
      try await reasons(usual, SampleRuns.documents(1, day: "2026-11-21") { $0.build = "debug" }) == [
        "there is no run to be compared in NEW, new",
        "left out: results/1000.json: a debug build's run: only those of release builds are compared",
      ])
    #expect(
      try await reasons(usual, SampleRuns.documents(1) { $0.tool = "bench-e2e" }) == [
        "OLD and NEW have no tool in common"
      ])
  }

  @Test func labelsThatAreMixedAreSaid() async throws {
    var old = SampleRuns.documents(3)
    old[1].label = "nightly"
    let new = SampleRuns.documents(3, day: "2026-11-21")
    #expect(
      try await SampleRuns.compare(old, new).notes.contains {
        $0.hasPrefix("the OLD runs of bench-allocation have different labels ('nightly', none)")
      })
    var settings = Comparison.Settings()
    settings.splitsByLabel = true
    let split = try await SampleRuns.compare(old, new, settings)
    #expect(split.groups.map(\.key.label) == ["(no label)"] && split.groups.map(\.runsOld) == [2])
    #expect(split.onlyOnOneSide.map(\.key.label) == ["nightly"])
  }

  @Test func labelsInOneFolderCanBeCompared() async throws {
    var all = SampleRuns.documents(8)
    for number in all.indices { all[number].label = number % 2 == 0 ? "a" : "b" }
    let runs = try SampleRuns.stored(all)
    var settings = Comparison.Settings()
    settings.oldLabel = "a"
    settings.newLabel = "b"
    let comparison = try await Comparison.make(old: runs, new: runs, settings: settings, names: ("r", "r"))
    #expect(comparison.groups.map(\.runsOld) == [4] && comparison.groups.map(\.runsNew) == [4])
    #expect(comparison.oldName == "r (a)" && comparison.newName == "r (b)")
  }

  @Test func aRunIsNotComparedToItself() async throws {
    let runs = try SampleRuns.stored(SampleRuns.documents(3))
    await #expect(throws: ComparisonError.sharedFiles(first: "results/0.json", count: 3)) {
      try await Comparison.make(old: runs, new: runs, names: ("r", "r"))
    }
    // A copy somewhere else is the same run.
    let copies = try SampleRuns.stored([SampleRuns.document(SampleRuns.spread[1], number: 1)], from: 50)
    await #expect(throws: ComparisonError.sharedFiles(first: "results/50.json", count: 1)) {
      try await Comparison.make(old: runs, new: copies, names: ("r", "s"))
    }
  }
}
