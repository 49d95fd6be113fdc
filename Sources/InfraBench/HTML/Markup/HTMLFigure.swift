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
    /// The classes of its swatch.
    var swatch: String
    var text: String

    init(swatch: String, text: String) {
      self.swatch = swatch
      self.text = text
    }

    /// - Parameter colour: which of the series' colours.
    init(colour: Int, text: String) { self.init(swatch: "c\(colour)", text: text) }
  }

  var html: HTML {
    let entries = key.map { "<li><span class=\"swatch \($0.swatch)\"></span>\($0.text)</li>\n" as HTML }
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
