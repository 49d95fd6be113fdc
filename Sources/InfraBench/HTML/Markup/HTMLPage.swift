import Glibc

/// A whole page: one file that needs no other, runs nothing and asks nobody.
struct HTMLPage {
  let title: String
  let content: HTML

  /// Whatever should slip into the page all the same: no script of it runs, and nothing is fetched.
  /// https://www.w3.org/TR/CSP3/
  private static let policy: HTML =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

  /// Whether a file is an HTML page, or empty: one that may be replaced by another.
  static func isOne(_ path: String) -> Bool {
    guard let file = fopen(path, "r") else { return false }
    defer { fclose(file) }
    let start = "<!DOCTYPE html>"
    var bytes = [UInt8](repeating: 0, count: start.utf8.count)
    let count = fread(&bytes, 1, bytes.count, file)
    return count == 0 || bytes.elementsEqual(start.utf8)
  }

  var source: String {
    let page: HTML = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="\(Self.policy)">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta name="generator" content="InfraBench \(Suite.version)">
      <link rel="icon" href="data:,">
      <title>\(title)</title>
      <style>
      \(StyleSheet.css)
      </style>
      </head>
      <body>
      <main>
      \(content)</main>
      <footer>Made by InfraBench \(Suite.version). This page is one file: it runs no script and loads nothing.</footer>
      </body>
      </html>

      """
    return page.source
  }
}

/// A part of a page under a heading.
struct HTMLSection {
  let title: String
  let content: HTML

  var html: HTML { "<section>\n<h2>\(title)</h2>\n\(content)</section>\n" }
}

extension HTML {
  /// A paragraph.
  static func paragraph(_ text: String) -> HTML { "<p>\(text)</p>\n" }

  /// A list of texts; nothing without any.
  static func list(_ items: [String], class name: String = "plain") -> HTML {
    items.isEmpty ? "" : "<ul class=\"\(name)\">\n\(items.map { "<li>\($0)</li>\n" as HTML })</ul>\n"
  }

  /// Something that a reader must not miss; `word` says what it is.
  static func alert(_ word: String, _ text: String, class name: String) -> HTML {
    "<p class=\"alert \(name)\"><strong>\(word)</strong> \(text)</p>\n"
  }

  /// What a reader must know of the figures, in one box; of many the later ones wait to be opened.
  static func notes(_ notes: [String]) -> HTML {
    guard notes.count > 1 else { return HTML(notes.map { alert("Note:", $0, class: "warn") }) }
    let first = list(Array(notes.prefix(mostNotes)))
    let others = Array(notes.dropFirst(mostNotes))
    let rest = others.isEmpty ? "" : details("\(others.count) more", list(others))
    return "<div class=\"alert warn\"><strong>Notes</strong>\n\(first)\(rest)</div>\n"
  }

  private static let mostNotes = 6

  /// A long table that is opened at will, and printed.
  static func details(_ summary: String, _ content: HTML) -> HTML {
    "<details>\n<summary>\(summary)</summary>\n\(content)</details>\n"
  }
}
