import Glibc
import Results

/// A whole page in one file. It needs no other file, runs no script and loads nothing.
package struct HTMLPage {
  let title: String
  let content: HTML

  package init(title: String, content: HTML) {
    self.title = title
    self.content = content
  }

  /// A second line of defence: even if foreign markup got into the page, no script would run and nothing would be
  /// loaded.
  /// https://www.w3.org/TR/CSP3/
  private static let policy: HTML =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

  /// Whether the file at `path` is an HTML page or empty, so that a page may replace it.
  package static func isOne(_ path: String) -> Bool {
    guard let file = fopen(path, "r") else { return false }
    defer { fclose(file) }
    let start = "<!DOCTYPE html>"
    var bytes = [UInt8](repeating: 0, count: start.utf8.count)
    let count = fread(&bytes, 1, bytes.count, file)
    return count == 0 || bytes.elementsEqual(start.utf8)
  }

  package var source: String {
    let page: HTML = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="\(Self.policy)">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta name="generator" content="InfraBench \(SuiteVersion.version)">
      <link rel="icon" href="data:,">
      <title>\(title)</title>
      <style>
      \(StyleSheet.css)
      </style>
      </head>
      <body>
      <main>
      \(content)</main>
      <footer>Made by InfraBench \(SuiteVersion.version). This page is one file: it runs no script and loads nothing.</footer>
      </body>
      </html>

      """
    return page.source
  }
}

/// A part of a page under a heading.
package struct HTMLSection {
  let title: String
  let content: HTML

  package init(title: String, content: HTML) {
    self.title = title
    self.content = content
  }

  package var html: HTML { "<section>\n<h2>\(title)</h2>\n\(content)</section>\n" }
}

extension HTML {
  /// A paragraph.
  package static func paragraph(_ text: String) -> HTML { "<p>\(text)</p>\n" }

  /// A list of texts; empty without texts.
  package static func list(_ items: [String], class name: String = "plain") -> HTML {
    items.isEmpty ? "" : "<ul class=\"\(name)\">\n\(items.map { "<li>\($0)</li>\n" as HTML })</ul>\n"
  }

  /// A conspicuous text that begins with `word`, such as "Note:".
  package static func alert(_ word: String, _ text: String, class name: String) -> HTML {
    "<p class=\"alert \(name)\"><strong>\(word)</strong> \(text)</p>\n"
  }

  /// Notes on the figures in one box. With many notes the later ones are folded up.
  package static func notes(_ notes: [String]) -> HTML {
    guard notes.count > 1 else { return HTML(notes.map { alert("Note:", $0, class: "warn") }) }
    let first = list(Array(notes.prefix(mostNotes)))
    let others = Array(notes.dropFirst(mostNotes))
    let rest = others.isEmpty ? "" : details("\(others.count) more", list(others))
    return "<div class=\"alert warn\"><strong>Notes</strong>\n\(first)\(rest)</div>\n"
  }

  private static let mostNotes = 6

  /// Content that is folded up on the screen and unfolded in print.
  static func details(_ summary: String, _ content: HTML) -> HTML {
    "<details>\n<summary>\(summary)</summary>\n\(content)</details>\n"
  }
}

/// The style of all pages: light or dark by the reader's system, with rules for phones and for print.
enum StyleSheet {
  /// The series' colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), which colour-blind people can
  /// distinguish too. They are darker on white and lighter on black where their contrast would be under 3:1 (WCAG 2.2,
  /// 1.4.11).
  static let css: HTML = """
    :root {
      color-scheme: light dark;
      --bg: #ffffff; --card: #f5f7f9; --fg: #1b1f24; --soft: #57606a; --line: #d0d7de; --grid: #e4e8ec;
      --s0: #0072b2; --s1: #c15300; --s2: #00795a; --s3: #a8508a; --s4: #8a6100; --s5: #3d4853;
      --good: #00664a; --good-bg: #dff3ec; --bad: #a33600; --bad-bg: #fdebdf; --warn: #6b4e00; --warn-bg: #fdf3d3;
      --none: #4b5560; --none-bg: #e9edf1; --heat: #0072b2;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --bg: #12161b; --card: #1b2128; --fg: #e8ecf0; --soft: #a3adb8; --line: #3a444f; --grid: #28303a;
        --s0: #56b4e9; --s1: #f28a45; --s2: #2bc79a; --s3: #e39ac5; --s4: #f0e442; --s5: #c9d1d9;
        --good: #5fd9b0; --good-bg: #10352b; --bad: #ffb085; --bad-bg: #44220f; --warn: #f5d76e; --warn-bg: #3b3008;
        --none: #b6c0ca; --none-bg: #2a323b; --heat: #56b4e9;
      }
    }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; }
    body {
      margin: 0; background: var(--bg); color: var(--fg); overflow-wrap: anywhere;
      font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
    }
    main, footer { max-width: 64rem; margin: 0 auto; padding: 1rem; }
    footer { color: var(--soft); font-size: .85rem; padding-bottom: 2rem; }
    h1 { font-size: 1.7rem; line-height: 1.2; margin: .5rem 0; }
    h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
    h3 { font-size: 1.05rem; margin: 1.4rem 0 .4rem; }
    p { margin: .5rem 0; max-width: 48rem; }
    .soft { color: var(--soft); }
    .badge {
      display: inline-block; padding: .05em .55em; border-radius: .35em; font-weight: 600; white-space: nowrap;
      color: var(--none); background: var(--none-bg);
    }
    .badge.good { color: var(--good); background: var(--good-bg); }
    .badge.bad { color: var(--bad); background: var(--bad-bg); }
    .badge.warn { color: var(--warn); background: var(--warn-bg); }
    h1 .badge { font-size: 1rem; vertical-align: .25em; margin-left: .5rem; }
    .alert { padding: .6rem .9rem; border-left: 4px solid var(--line); border-radius: .25rem; background: var(--card); }
    .alert.bad { border-color: var(--bad); background: var(--bad-bg); }
    .alert.warn { border-color: var(--warn); background: var(--warn-bg); }
    .alert { max-width: 48rem; margin: .5rem 0; }
    .tiles { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1rem 0 .4rem; padding: 0; list-style: none; }
    .tiles li {
      flex: 1 1 6.5rem; padding: .6rem .8rem; background: var(--card); border: 1px solid var(--line);
      border-radius: .5rem;
    }
    .tiles b { display: block; font-size: 1.2rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
    .tiles span { color: var(--soft); font-size: .85rem; }
    ul.facts { list-style: none; margin: .5rem 0; padding: 0; color: var(--soft); font-size: .92rem; }
    ul.facts li { display: inline-block; margin: 0 1.1rem .1rem 0; }
    ul.plain { margin: .5rem 0; padding-left: 1.2rem; }
    ul.legend { list-style: none; margin: .3rem 0 1rem; padding: 0; color: var(--soft); font-size: .85rem; }
    .scroll, .chart { overflow-x: auto; max-width: 100%; }
    table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; margin: .3rem 0 .6rem; }
    caption { text-align: left; color: var(--soft); font-size: .85rem; padding: .2rem 0; }
    th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
    td, th[scope=row] { overflow-wrap: break-word; max-width: 28rem; }
    thead th { border-bottom: 2px solid var(--line); white-space: nowrap; }
    tbody th { font-weight: 600; }
    th.k { white-space: nowrap; }
    th.n, td.n { text-align: right; white-space: nowrap; }
    td svg.bar { display: block; width: 10rem; height: 1rem; }
    figure { margin: 1rem 0 1.6rem; }
    figcaption { margin-bottom: .4rem; max-width: 48rem; }
    figcaption strong { display: block; }
    figcaption span { color: var(--soft); font-size: .9rem; margin-right: .35em; }
    svg.picture { display: block; width: 100%; min-width: 40rem; max-width: 52rem; height: auto; }
    ul.key { list-style: none; display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; margin: .3rem 0 .6rem; padding: 0; }
    ul.key li { font-size: .9rem; }
    .swatch { display: inline-block; width: .9em; height: .9em; border-radius: .15em; margin-right: .4em; background: var(--c); vertical-align: -.08em; }
    .swatch.h { background: var(--heat); }
    .swatch.h1 { opacity: .16; } .swatch.h2 { opacity: .32; } .swatch.h3 { opacity: .48; }
    .swatch.h4 { opacity: .64; } .swatch.h5 { opacity: .82; }
    details { margin: .4rem 0; }
    summary { cursor: pointer; color: var(--soft); font-size: .9rem; }
    .c0 { --c: var(--s0); } .c1 { --c: var(--s1); } .c2 { --c: var(--s2); }
    .c3 { --c: var(--s3); } .c4 { --c: var(--s4); } .c5 { --c: var(--s5); }
    .picture text { fill: var(--fg); font: 12.5px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
    .picture text.soft { fill: var(--soft); }
    .picture text.name { fill: var(--c); font-weight: 600; }
    .picture .end { text-anchor: end; } .picture .mid { text-anchor: middle; }
    .picture text.off { paint-order: stroke; stroke: var(--bg); stroke-width: 5px; font-weight: 600; }
    .picture .grid { stroke: var(--grid); stroke-width: 1; }
    .picture .axis { stroke: var(--line); stroke-width: 1; }
    .picture .rule { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 4 3; }
    .picture .line { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
    .picture .thin { fill: none; stroke: var(--c); stroke-width: 1.2; stroke-dasharray: 4 3; }
    .picture .whisker { stroke: var(--c); stroke-width: 1.4; }
    .picture .dot { fill: var(--c); stroke: var(--bg); stroke-width: 1; }
    .picture .hollow { fill: var(--bg); stroke: var(--c); stroke-width: 2; }
    .picture .fill { fill: var(--c); stroke: var(--bg); stroke-width: 1; }
    .picture .rest { fill: var(--none-bg); stroke: var(--soft); stroke-width: 1; }
    .picture .band { fill: var(--soft); fill-opacity: .14; }
    .picture .mark { fill: var(--c); fill-opacity: .18; }
    .picture .gap { fill: var(--bad); fill-opacity: .14; }
    .picture .inside { fill: var(--bg); font-weight: 600; }
    .picture .h { fill: var(--heat); }
    .h1 { fill-opacity: .16; } .h2 { fill-opacity: .32; } .h3 { fill-opacity: .48; }
    .h4 { fill-opacity: .64; } .h5 { fill-opacity: .82; } .h6 { fill-opacity: 1; }
    @media (max-width: 40rem) {
      main, footer { padding: .75rem; }
      h1 { font-size: 1.4rem; }
      th, td { padding: .25rem .45rem; }
      .tiles li { flex-basis: 5.5rem; padding: .5rem; }
      .tiles b { font-size: 1.1rem; }
    }
    @media print {
      :root {
        color-scheme: light;
        --bg: #ffffff; --card: #f5f7f9; --fg: #000000; --soft: #444444; --line: #b8b8b8; --grid: #e0e0e0;
        --s0: #0072b2; --s1: #c15300; --s2: #00795a; --s3: #a8508a; --s4: #8a6100; --s5: #3d4853;
        --good: #00664a; --good-bg: #dff3ec; --bad: #a33600; --bad-bg: #fdebdf; --warn: #6b4e00; --warn-bg: #fdf3d3;
        --none: #4b5560; --none-bg: #e9edf1; --heat: #0072b2;
      }
      @page { margin: 14mm; }
      body { font-size: 10.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
      main, footer { max-width: none; padding: 0; }
      .scroll, .chart { overflow: visible; }
      svg.picture { min-width: 0; max-width: 40rem; }
      table { font-size: 8pt; }
      th, td { padding: .15rem .3rem; }
      thead th { white-space: normal; }
      h2, h3, figcaption, caption { break-after: avoid; }
      tr, .chart, .alert, .tiles, figcaption { break-inside: avoid; }
      thead { display: table-header-group; }
      details::details-content { content-visibility: visible; block-size: auto; }
      summary { list-style: none; }
    }
    """
}
