import Foundation
import Testing

/// The two READMEs say the same, they stay short, and no link of the documentation leads nowhere. A translation is forgotten where
/// nothing compares it: so commands, outputs, figures and links are compared here, which need no translation. Each check is a
/// function that returns what is wrong, and is shown to find it in made-up texts.
struct ReadmeTests {
  // MARK: Reading

  /// A page of Markdown, as far as the checks need it.
  private struct Page {
    /// What is between two headings: its heading, and its text without code blocks.
    struct Section {
      var heading = ""
      var text = ""
    }

    var lines = 0
    /// The first one is what stands before any heading.
    var sections = [Section()]
    /// Each with the words behind its first backticks.
    var codeBlocks: [String] = []

    init(_ source: String) {
      var block: [Substring]?
      for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
        lines += 1
        let isFence = line.drop { $0 == " " }.hasPrefix("```")
        if let begun = block {
          if isFence { codeBlocks.append(begun.joined(separator: "\n")) }
          block = isFence ? nil : begun + [line]
        } else if isFence {
          block = [line]
        } else if line.hasPrefix("#"), let title = line.firstIndex(of: " ") {
          sections.append(Section(heading: String(line[line.index(after: title)...])))
        } else {
          sections[sections.count - 1].text += line + "\n"
        }
      }
      if source.hasSuffix("\n") { lines -= 1 }
    }

    /// The anchors of its headings, as GitHub makes them: words in lower case with hyphens, and a number behind repeated ones.
    var anchors: Set<String> {
      var anchors: Set<String> = []
      for section in sections.dropFirst() {
        let kept = section.heading.lowercased().unicodeScalars.filter { scalar in
          switch scalar.properties.generalCategory {
          case .lowercaseLetter, .otherLetter, .modifierLetter, .decimalNumber, .connectorPunctuation, .nonspacingMark:
            true
          default: scalar == " " || scalar == "-"
          }
        }
        let anchor = String(String.UnicodeScalarView(kept)).replacing(" ", with: "-")
        let repetition = (1...).first { !anchors.contains("\(anchor)-\($0)") } ?? 1
        anchors.insert(anchors.contains(anchor) ? "\(anchor)-\(repetition)" : anchor)
      }
      return anchors
    }
  }

  /// The texts between single backticks.
  private static func codeSpans(in text: String) -> [String] {
    text.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }
      .map { String($0.element) }
  }

  private static func withoutCodeSpans(_ text: String) -> String {
    text.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 0 }
      .map { String($0.element) }.joined(separator: " ")
  }

  /// The targets of the links and pictures, in order.
  private static func links(in text: String) -> [String] {
    withoutCodeSpans(text).components(separatedBy: "](").dropFirst().compactMap { rest in
      rest.firstIndex(of: ")").map { String(rest[..<$0]) }
    }
  }

  /// Numbers outside of code and of the targets of links, with the unit behind them where it is a symbol.
  private static func figures(in text: String) -> [String] {
    // Not \d, which is also 三.
    let figure = /[0-9]+(?:[.,][0-9]+)*(?:\s?(?:%|µs|ms|kB|MB|GB|s|h)(?![A-Za-z]))?/
    let words = withoutCodeSpans(text).replacing(/\]\([^)]*\)/, with: "]")
    return words.matches(of: figure).map { String($0.output).replacing(" ", with: "") }
  }

  // MARK: Checks

  /// The places at which two lists differ.
  private static func differences(_ old: [String], _ new: [String], of what: String) -> [String] {
    guard old.count == new.count else { return ["\(what): \(old.count) and \(new.count): \(old) and \(new)"] }
    return zip(old, new).enumerated().filter { $0.element.0 != $0.element.1 }
      .map { "\(what) \($0.offset + 1): \($0.element.0) and \($0.element.1)" }
  }

  private static func differentCode(_ one: Page, _ other: Page) -> [String] {
    differences(one.codeBlocks, other.codeBlocks, of: "code block")
  }

  /// Compares what `part` finds in each section. Another language has another order of words, so the order within a section is free.
  private static func differentSections(
    _ one: Page, _ other: Page, in what: String, _ part: (String) -> [String]
  ) -> [String] {
    guard one.sections.count == other.sections.count else {
      return ["sections: \(one.sections.map(\.heading)) and \(other.sections.map(\.heading))"]
    }
    return zip(one.sections, other.sections).flatMap { one, other in
      differences(part(one.text).sorted(), part(other.text).sorted(), of: "\(what) of '\(one.heading)'")
    }
  }

  private static func differentFigures(_ one: Page, _ other: Page) -> [String] {
    differentSections(one, other, in: "figures", figures(in:))
  }

  private static func differentCodeSpans(_ one: Page, _ other: Page) -> [String] {
    differentSections(one, other, in: "code", codeSpans(in:))
  }

  /// Links to the page itself and to its translation are alike, wherever they lead.
  private static func differentLinks(_ one: Page, _ other: Page) -> [String] {
    differentSections(one, other, in: "links") { text in
      links(in: text).map { $0.hasPrefix("#") ? "#" : $0.hasPrefix("README") ? "README" : $0 }
    }
  }

  private static let mostLines = 150

  private static func tooLong(_ page: Page) -> [String] {
    page.lines <= mostLines ? [] : ["\(page.lines) lines, more than \(mostLines)"]
  }

  /// A target as a path from the project's folder, and its anchor. Nil of an address on the web.
  private static func place(of target: String, from path: String) -> (path: String, anchor: String?)? {
    if target.contains("://") || target.hasPrefix("mailto:") { return nil }
    let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    let anchor = parts.count > 1 ? String(parts[1]).removingPercentEncoding : nil
    guard let file = parts.first, !file.isEmpty else { return (path, anchor) }
    var folders = path.split(separator: "/").dropLast().map(String.init)
    for name in file.split(separator: "/") {
      switch name {
      case ".": break
      case "..": if folders.popLast() == nil { folders.append("..") }
      default: folders.append(String(name))
      }
    }
    return (folders.joined(separator: "/"), anchor)
  }

  /// - Parameters:
  ///   - exists: Whether the project has a file or a folder of this path.
  ///   - anchors: The anchors of the page of this path.
  private static func brokenLinks(
    of page: Page, at path: String, exists: (String) -> Bool, anchors: (String) -> Set<String>
  ) -> [String] {
    page.sections.flatMap { links(in: $0.text) }.compactMap { target in
      guard let place = place(of: target, from: path) else { return nil }
      if !exists(place.path) { return "\(path): there is no \(target)" }
      if let anchor = place.anchor, !anchors(place.path).contains(anchor) { return "\(path): no heading is \(target)" }
      return nil
    }
  }

  /// The pages that the index doesn't link.
  private static func unlisted(_ pages: [String], in index: Page, at path: String) -> [String] {
    let listed = index.sections.flatMap { links(in: $0.text) }.compactMap { place(of: $0, from: path)?.path }
    return Set(pages).subtracting(listed + [path]).sorted()
  }

  // MARK: The project's pages

  private static let root: URL = {
    var url = URL(filePath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url
  }()

  private static func page(_ path: String) throws -> Page {
    Page(try String(contentsOf: root.appending(path: path), encoding: .utf8))
  }

  private static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root.appending(path: path).path)
  }

  /// The pages below docs, by their paths.
  private static func pages() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: "docs").path)
      .filter { $0.hasSuffix(".md") || $0.hasSuffix(".txt") }.map { "docs/\($0)" }.sorted()
  }

  private static let english = Result { try page("README.md") }
  private static let chinese = Result { try page("README.zh-CN.md") }

  @Test func bothReadmesHaveTheSameCommandsAndOutputs() throws {
    let english = try Self.english.get()
    #expect(english.codeBlocks.count > 3)
    let differentCode = Self.differentCode(english, try Self.chinese.get())
    #expect(differentCode == [])
    let differentCodeSpans = Self.differentCodeSpans(english, try Self.chinese.get())
    #expect(differentCodeSpans == [])
  }

  @Test func bothReadmesHaveTheSameFigures() throws {
    let english = try Self.english.get()
    #expect(english.sections.contains { !Self.figures(in: $0.text).isEmpty })
    let differentFigures = Self.differentFigures(english, try Self.chinese.get())
    #expect(differentFigures == [])
  }

  @Test func bothReadmesHaveTheSameSectionsAndLinks() throws {
    let english = try Self.english.get()
    #expect(english.sections.count > 4)
    let differentLinks = Self.differentLinks(english, try Self.chinese.get())
    #expect(differentLinks == [])
  }

  @Test func eachReadmeLinksTheOther() throws {
    #expect(try Self.english.get().sections.contains { Self.links(in: $0.text).contains("README.zh-CN.md") })
    #expect(try Self.chinese.get().sections.contains { Self.links(in: $0.text).contains("README.md") })
  }

  @Test func bothReadmesAreShort() throws {
    let (english, chinese) = try (Self.english.get(), Self.chinese.get())
    #expect(Self.tooLong(english) == [])
    #expect(Self.tooLong(chinese) == [])
  }

  @Test func noLinkOfTheDocumentationLeadsNowhere() throws {
    let others = ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md", "results/README.md"]
    let paths = try others + Self.pages()
    let pages = try Dictionary(uniqueKeysWithValues: paths.map { ($0, try Self.page($0)) })
    #expect(pages.count > 40)
    for path in paths {
      let page = try #require(pages[path])
      let broken = Self.brokenLinks(of: page, at: path, exists: Self.exists) { pages[$0]?.anchors ?? [] }
      #expect(broken == [])
    }
  }

  @Test func theIndexLinksEveryPage() throws {
    let index = "docs/README.md"
    let pages = try Self.pages()
    #expect(pages.count > 40)
    let unlisted = Self.unlisted(pages, in: try Self.page(index), at: index)
    #expect(unlisted == [])
  }

  // MARK: The checks find what they look for

  private static let source = """
    # Title

    Text of 12 MB, 3.5 ms and 99 %, `code 7`.

    ## Second

    See [the page](docs/a.md#here) and [above](#title).

    ```sh
    run --count 5   # five
    ```

    """
  private static let sample = Page(source)

  /// The sample with one text changed.
  private static func changed(_ text: String, to other: String) -> Page { Page(source.replacing(text, with: other)) }

  @Test func aPageIsRead() {
    let page = Self.sample
    #expect(page.lines == 11)
    #expect(page.sections.map(\.heading) == ["", "Title", "Second"])
    #expect(page.codeBlocks == ["```sh\nrun --count 5   # five"])
    #expect(Self.figures(in: page.sections[1].text) == ["12MB", "3.5ms", "99%"])
    #expect(Self.codeSpans(in: page.sections[1].text) == ["code 7"])
    #expect(Self.links(in: page.sections[2].text) == ["docs/a.md#here", "#title"])
    #expect(Self.figures(in: "12 seconds, 2 小时, 三个, [5](a7.md)") == ["12", "2", "5"])
  }

  @Test func alikePagesPass() {
    let other = Self.changed("Text of", to: "说明：")
    #expect(Self.differentCode(Self.sample, other) == [])
    #expect(Self.differentCodeSpans(Self.sample, other) == [])
    #expect(Self.differentFigures(Self.sample, other) == [])
    #expect(Self.differentLinks(Self.sample, Self.changed("#title", to: "#标题")) == [])
  }

  @Test(arguments: [("--count 5", "--count 6"), ("# five", "# 五"), ("```sh", "```"), ("run", "```\n```\nrun")])
  func aDifferentCommandIsFound(_ text: String, _ other: String) {
    #expect(Self.differentCode(Self.sample, Self.changed(text, to: other)) != [])
  }

  @Test func differentCodeInASentenceIsFound() {
    #expect(Self.differentCodeSpans(Self.sample, Self.changed("`code 7`", to: "`code 8`")) != [])
  }

  @Test(arguments: [
    ("12 MB", "12 GB"), ("3.5 ms", "3.5 s"), ("99 %", "99"), ("3.5 ms", "3.5 ms, 3.5 ms"), ("12 MB, ", ""),
    ("Second", "Second\n\n2 lines"),
  ])
  func aDifferentFigureIsFound(_ text: String, _ other: String) {
    #expect(Self.differentFigures(Self.sample, Self.changed(text, to: other)) != [])
  }

  @Test(arguments: [
    ("docs/a.md", "docs/b.md"), ("[above](#title)", "above"), ("## Second", "## Second\n\n## Third"), ("## Second", ""),
  ])
  func aDifferentSectionOrLinkIsFound(_ text: String, _ other: String) {
    #expect(Self.differentLinks(Self.sample, Self.changed(text, to: other)) != [])
  }

  @Test func aLongPageIsFound() {
    #expect(Self.tooLong(Page(String(repeating: "line\n", count: 150))) == [])
    #expect(Self.tooLong(Page(String(repeating: "line\n", count: 151))) != [])
  }

  @Test(arguments: [
    ("b.md", true), ("./b.md", true), ("../README.md", true), ("b.md#here", true), ("#there", true),
    ("https://example.com/nothing", true), ("images", true), ("c.md", false), ("b.md#there", false),
    ("#nowhere", false), ("../b.md", false), ("../../docs/b.md", false),
  ])
  func aLinkThatLeadsNowhereIsFound(_ target: String, _ leads: Bool) {
    let anchors: [String: Set<String>] = ["docs/a.md": ["there"], "docs/b.md": ["here"]]
    let paths = ["README.md", "docs/a.md", "docs/b.md", "docs/images"]
    let found = Self.brokenLinks(of: Page("A [link](\(target)).\n"), at: "docs/a.md", exists: paths.contains) {
      anchors[$0] ?? []
    }
    #expect(found.isEmpty == leads)
  }

  @Test func codeIsNoLink() {
    let page = Page("`[a](nowhere)`, [`b`](there)\n\n```\n[c](nowhere)\n```\n")
    #expect(page.sections.flatMap { Self.links(in: $0.text) } == ["there"])
  }

  @Test func anchorsAreThoseOfGitHub() {
    let page = Page("# HTML (`--format html`, `.html`)\n## The drain, and t₀\n## Rates\n## Rates\n## 安装 1_a\n")
    #expect(
      page.anchors == ["html---format-html-html", "the-drain-and-t", "rates", "rates-1", "安装-1_a"])
  }

  @Test func aPageThatTheIndexLacksIsFound() {
    let index = Page("[a](a.md), [b](b.md#x)\n")
    #expect(Self.unlisted(["docs/README.md", "docs/a.md", "docs/b.md"], in: index, at: "docs/README.md") == [])
    #expect(Self.unlisted(["docs/a.md", "docs/c.md"], in: index, at: "docs/README.md") == ["docs/c.md"])
  }
}
