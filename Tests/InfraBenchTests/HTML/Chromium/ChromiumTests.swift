import Foundation
import TestSupport
import PlanReports
import Testing

@testable import InfraBench
@testable import Comparison
@testable import Reports
@testable import Results

/// Pages as a real browser has them.
@Suite(
  .serialized, .timeLimit(.minutes(4)),
  .enabled(if: Chromium.path != nil, "needs Chromium; INFRABENCH_CHROMIUM names it"))
struct ChromiumTests {
  private let scratch: ScratchDirectory
  private let folder: URL

  init() throws {
    scratch = try ScratchDirectory()
    folder = URL(filePath: scratch.path)
  }

  private static func pages(naming text: String) -> [String: String] {
    [
      "result": ResultHTML(HTMLSamples.filled(with: text)).source,
      "comparison": ComparisonHTML(ComparisonSamples.comparison(naming: text)).source,
      "trend": TrendHTML(ComparisonSamples.trend(naming: text), name: text).source,
      "plan": (try? PlanSamples.summary(naming: text)).map { PlanHTML($0).source } ?? "",
    ]
  }

  private static var plain: [String: String] {
    [
      "load": ResultHTML(HTMLSamples.load).source, "pool": ResultHTML(HTMLSamples.pool).source,
      "phases": ResultHTML(HTMLSamples.endToEnd).source,
      "comparison": ComparisonHTML(ComparisonSamples.comparison()).source,
      "trend": TrendHTML(ComparisonSamples.trend(), name: "results").source,
      "plan": (try? PlanSamples.summary()).map { PlanHTML($0).source } ?? "",
    ]
  }

  @Test(.wholeSuiteOnly) func hostileTextIsTextInTheBrowserToo() async throws {
    let visitors = try ListeningSocket()
    let text = HTMLSamples.hostile.replacing("127.0.0.1:9", with: "127.0.0.1:\(visitors.port)")
    let (hostile, visitorCount) = try await visitors.visitors {
      try await MeasuredPage.measure(Self.pages(naming: text), width: 1280, in: folder)
    }
    #expect(visitorCount == 0)
    let harmless = try await MeasuredPage.measure(Self.pages(naming: "word"), width: 1280, in: folder)
    #expect(hostile.count == 4 && harmless.count == 4)
    for (name, page) in hostile {
      #expect(page.elements == harmless[name]?.elements, "\(name)")
      #expect(page.attributes == harmless[name]?.attributes, "\(name)")
      #expect(page.elements["script"] == nil && page.elements["img"] == nil && page.elements["iframe"] == nil)
      #expect(page.title != "owned" && page.text.contains("<script>document.title='owned'</script>"))
    }
  }

  /// The second line of defence, were a text ever to get through.
  @Test(.wholeSuiteOnly) func aScriptInAPageDoesNotRunAndAnImageIsNotFetched() async throws {
    let visitors = try ListeningSocket()
    let source = ResultHTML(HTMLSamples.load).source
    let evil = """
      <script>document.title = 'owned'</script><img src="http://127.0.0.1:\(visitors.port)/" \
      onerror="document.title = 'owned'"><b style="background:url(http://127.0.0.1:\(visitors.port)/)">b</b>
      """
    let broken = source.replacing("<main>", with: "<main>\(evil)")
    let unguarded = broken.replacing("Content-Security-Policy", with: "X-Nothing")
    let (guarded, none) = try await visitors.visitors {
      try await MeasuredPage.measure(["page": broken], width: 1280, in: folder)["page"]
    }
    #expect(guarded?.title.hasPrefix("bench-allocation (nightly): fail") == true && guarded?.elements["script"] == 1)
    #expect(none == 0)
    // Without the policy both happen: what is tested is the policy.
    let (open, some) = try await visitors.visitors {
      try await MeasuredPage.measure(["page": unguarded], width: 1280, in: folder)["page"]
    }
    #expect(open?.title == "owned" && some > 0)
  }

  @Test(.wholeSuiteOnly, arguments: [360, 1280])
  func pagesFitTheirWindow(_ width: Int) async throws {
    var pages = Self.plain
    pages.merge(Self.pages(naming: String(repeating: "unbroken", count: 40))) { first, _ in first }
    for (name, page) in try await MeasuredPage.measure(pages, width: width, in: folder) {
      #expect(page.scrollWidth <= width, "\(name)")
      #expect(page.figuresWithoutTable == 0 && page.elements["svg", default: 0] > 0, "\(name)")
      #expect(page.smallestText >= 10, "\(name): \(page.smallestText)px")
    }
  }

  @Test func titlesSayWhatAPageIs() async throws {
    let pages = try await MeasuredPage.measure(Self.plain, width: 1280, in: folder)
    #expect(pages["load"]?.title == "bench-allocation (nightly): fail, 2026-11-20")
    #expect(pages["trend"]?.title == "Trend of results")
    #expect(pages["comparison"]?.title.hasPrefix("Comparison: 2 slower or worse") == true)
  }

  @Test(.wholeSuiteOnly, arguments: [360, 1280])
  func pagesAreDrawnInLightAndDark(_ width: Int) async throws {
    let page = folder.appending(path: "page.html")
    for name in ["load", "pool", "comparison"] {
      try Data((Self.plain[name] ?? "").utf8).write(to: page)
      let light = try await Chromium.screenshot(of: page, width: width, height: 2600, .light, in: folder)
      let dark = try await Chromium.screenshot(of: page, width: width, height: 2600, .dark, in: folder)
      #expect(light.width == width && dark.width == width)
      #expect(light[1, 1].brightness > 240 && dark[1, 1].brightness < 40)
      // Text with its smoothing, badges, and the series' colours.
      #expect(light.colours.count > 60 && dark.colours.count > 60, "\(name)")
      let blue = Pixels.Colour(red: 0x00, green: 0x72, blue: 0xb2)
      let sky = Pixels.Colour(red: 0x56, green: 0xb4, blue: 0xe9)
      if name == "load" { #expect(light.colours.contains(blue) && dark.colours.contains(sky)) }
    }
  }
}
