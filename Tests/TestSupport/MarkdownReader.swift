import Foundation

/// Markdown as others read it: Python's `markdown-it-py`, with tables as GitHub has them.
public enum MarkdownReader {
  /// Whether texts can be read; tests that need it are skipped with a note otherwise.
  public static let isAvailable = Python.canImport("markdown_it")

  /// What a reader sees of a text.
  public struct Reading: Decodable, Sendable {
    /// Of headings, paragraphs, list items and table cells, in their order.
    public var texts: [String]
    /// Kinds of inline markup and of blocks that are there, without those of plain text, headings, lists and tables.
    public var markup: Set<String>
    /// Cells of every row of tables.
    public var rows: [Int]
  }

  /// Reads a text.
  public static func read(_ markdown: String) async throws -> Reading {
    let scratch = try ScratchDirectory()
    let result = try await Python.run(["-c", script, try scratch.write("text.md", markdown)])
    guard result.status == 0 else { throw Failure(description: result.output) }
    return try JSONDecoder().decode(Reading.self, from: Data(result.output.utf8))
  }

  private struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  private static let script = """
    import json, sys
    from markdown_it import MarkdownIt
    plain = {"inline", "text", "text_special", "softbreak", "entity"}
    blocks = ("heading", "paragraph", "bullet_list", "list_item", "table", "thead", "tbody", "tr", "th", "td")
    texts, markup, rows = [], set(), []
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(open(sys.argv[1], newline="").read()):
        if token.type == "tr_open": rows.append(0)
        if token.type in ("th_open", "td_open"): rows[-1] += 1
        if token.type == "inline":
            # An empty comment keeps '@' from calling somebody.
            shown = [child for child in token.children if not (child.type == "html_inline" and child.content == "<!-- -->")]
            texts.append("".join(child.content for child in shown))
            markup |= {child.type for child in shown if child.type not in plain}
        elif not token.type.removesuffix("_open").removesuffix("_close") in blocks:
            markup.add(token.type)
    json.dump(dict(texts=texts, markup=sorted(markup), rows=rows), sys.stdout)
    """
}
