/// A picture with its caption, its key, and the table of the same numbers.
struct HTMLFigure {
  let title: String
  /// How the picture is read, and what it leaves out.
  var explanation: [String] = []
  let picture: HTML
  var key: [KeyEntry] = []
  /// The numbers of the picture.
  let table: HTML

  struct KeyEntry {
    /// Which of the series' colours.
    var colour: Int
    var text: String
  }

  var html: HTML {
    let entries = key.map { "<li><span class=\"swatch c\($0.colour)\"></span>\($0.text)</li>\n" as HTML }
    let list: HTML = entries.isEmpty ? "" : "<ul class=\"key\">\n\(entries)</ul>\n"
    return """
      <figure>
      <figcaption><strong>\(title)</strong>\(explanation.map { "<span>\($0)</span>" as HTML })</figcaption>
      <div class="chart" role="group" tabindex="0" aria-label="\(title)">
      \(picture)</div>
      \(list)\(table)</figure>

      """
  }
}
