import Foundation

/// What a browser made of a page, measured in a frame of a given width by a script around it.
struct MeasuredPage: Decodable {
  var title: String
  /// How many elements there are by name.
  var elements: [String: Int]
  /// The names of all attributes.
  var attributes: Set<String>
  var text: String
  /// The width that the page needs: more than the frame's where it overflows.
  var scrollWidth: Int
  /// The smallest text in a picture, in px.
  var smallestText: Double
  var figuresWithoutTable: Int
  /// `rgb(…)`
  var background: String

  /// Loads pages of one folder beside one another.
  static func measure(_ pages: [String: String], width: Int, in folder: URL) async throws -> [String: MeasuredPage] {
    for (name, source) in pages { try Data(source.utf8).write(to: folder.appending(path: "\(name).html")) }
    let frames = pages.keys.sorted().map {
      "<iframe name=\"\($0)\" src=\"\($0).html\" style=\"width:\(width)px;height:800px;border:0\"></iframe>"
    }
    let script = """
      addEventListener('load', () => {
        const all = {};
        for (const frame of document.querySelectorAll('iframe')) {
          const page = frame.contentDocument, elements = {}, attributes = new Set();
          let smallest = 1000;
          for (const element of page.querySelectorAll('*')) {
            const name = element.localName;
            elements[name] = (elements[name] || 0) + 1;
            for (const attribute of element.attributes) attributes.add(attribute.name);
            if (name == 'text') {
              const svg = element.ownerSVGElement;
              const size = parseFloat(getComputedStyle(element).fontSize);
              smallest = Math.min(smallest, size * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width);
            }
          }
          all[frame.name] = {
            title: page.title, elements, attributes: [...attributes], text: page.body.textContent,
            scrollWidth: page.documentElement.scrollWidth, smallestText: smallest,
            figuresWithoutTable: [...page.querySelectorAll('figure')].filter(f => !f.querySelector('table')).length,
            background: frame.contentWindow.getComputedStyle(page.body).backgroundColor,
          };
        }
        document.getElementById('result').textContent = btoa(unescape(encodeURIComponent(JSON.stringify(all))));
      });
      """
    let page = folder.appending(path: "measure.html")
    try Data(
      "<!DOCTYPE html><meta charset=utf-8>\(frames.joined())<pre id=result></pre><script>\(script)</script>".utf8
    ).write(to: page)
    let dump = try await Chromium.document(of: page)
    guard let base64 = dump.split(separator: "<pre id=\"result\">").last?.split(separator: "</pre>").first,
      let data = Data(base64Encoded: String(base64))
    else { throw Chromium.Failure(description: "nothing was measured: \(dump.prefix(2000))") }
    return try JSONDecoder().decode([String: MeasuredPage].self, from: data)
  }
}
