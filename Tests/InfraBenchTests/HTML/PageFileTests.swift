import Foundation
import TestSupport
import Testing

@testable import InfraBench
@testable import Comparison
@testable import Reports
@testable import Results

@Suite struct PageFileTests {
  private let scratch: ScratchDirectory

  init() throws { scratch = try ScratchDirectory() }

  @Test func comparingAndTrendsWriteTheirPage() async throws {
    for (folder, factor, day) in [("old", 1.0, "2026-11-20"), ("new", 1.3, "2026-11-21")] {
      for (number, document) in SampleRuns.documents(factor: factor, day: day).enumerated() {
        try scratch.write("\(folder)/\(number).json", try ResultCoding.encode(document))
      }
    }
    let page = "\(scratch.path)/page.html"
    let (old, new) = ("\(scratch.path)/old", "\(scratch.path)/new")
    let compare = CompareSettings.compare(old: old, new: new, .init(), isStrict: false, failsOnRegression: false)
    for (settings, heading) in [(compare, "Comparison"), (.trend(old, .init()), "Trend")] {
      let console = Console(print: .md, isQuiet: true)
      let status = await CompareRun(settings: settings, print: .md, html: page, console: console).status
      #expect(status == 0)
      #expect(try String(contentsOfFile: page, encoding: .utf8).contains("<h1>\(heading)"))
    }
    #expect(scratch.files.filter { !$0.hasSuffix(".json") } == ["page.html"])
  }

  @Test func aPathThatCannotBeWrittenIsNamedBeforehand() throws {
    try scratch.write("page.html", "<!DOCTYPE html>\n<p>")
    try scratch.write("empty.html", "")
    // A result that is being compared must not become a picture of itself.
    try scratch.write("result.json", "{}")
    for (path, isGood) in [
      ("\(scratch.path)/page.html", true), ("\(scratch.path)/empty.html", true), ("\(scratch.path)/result.json", false),
      ("\(scratch.path)/other.html", true), ("page-of-a-test.html", true),
      ("", false), (scratch.path, false), ("\(scratch.path)/", false), ("\(scratch.path)/none/page.html", false),
      ("a\u{0}b", false), ("/dev/null", false), ("\(scratch.path)/page.html/x", false),
    ] {
      var reader = OptionReader(environment: [:])
      reader.checkPage("--html", path)
      #expect(reader.problems.isEmpty == isGood, "\(path)")
    }
  }

  @Test func storedResultsHavePages() throws {
    let files = try ResultRendering(HTMLSamples.load).files(.html, metrics: [])
    #expect(files.map(\.suffix) == [".html"] && files[0].text == ResultHTML(HTMLSamples.load).source)
  }
}
