@testable import Latency

/// A picture's pixels, from a PNG of 8-bit RGB or RGBA (https://www.w3.org/TR/png-3/).
struct Pixels {
  struct Colour: Hashable {
    var red: UInt8
    var green: UInt8
    var blue: UInt8

    /// 0…255.
    var brightness: Int { (Int(red) * 299 + Int(green) * 587 + Int(blue) * 114) / 1000 }
  }

  struct Problem: Error, CustomStringConvertible {
    var description: String
  }

  let width: Int
  let height: Int
  private let bytes: [UInt8]
  private let channels: Int

  subscript(x: Int, y: Int) -> Colour {
    let start = (y * width + x) * channels
    return Colour(red: bytes[start], green: bytes[start + 1], blue: bytes[start + 2])
  }

  /// Every colour there is, on every third row.
  var colours: Set<Colour> {
    Set(stride(from: 0, to: height, by: 3).flatMap { y in (0..<width).map { self[$0, y] } })
  }

  init(png: [UInt8]) throws {
    guard png.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) else {
      throw Problem(description: "no PNG")
    }
    let number = { (start: Int) in png[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) } }
    var compressed: [UInt8] = []
    var position = 8
    while position + 12 <= png.count {
      let length = number(position)
      let body = png[(position + 8)..<min(position + 8 + length, png.count)]
      if png[(position + 4)..<(position + 8)].elementsEqual("IDAT".utf8) { compressed += body }
      position += 12 + length
    }
    (width, height) = (number(16), number(20))
    guard png[24] == 8, let channels = [2: 3, 6: 4][png[25]], png[28] == 0 else {
      throw Problem(description: "a PNG of another kind")
    }
    self.channels = channels
    let size = (width * channels + 1) * height
    guard let raw = Zlib.decompress(compressed[...], limit: size)?.bytes, raw.count == size else {
      throw Problem(description: "the picture is cut off")
    }
    bytes = Self.unfiltered(raw, row: width * channels, channels: channels)
  }

  /// Section 9, "Filtering".
  private static func unfiltered(_ raw: [UInt8], row: Int, channels: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: raw.count / (row + 1) * row)
    for y in 0..<(raw.count / (row + 1)) {
      let filter = raw[y * (row + 1)]
      for x in 0..<row {
        let place = y * row + x
        let left = x >= channels ? Int(bytes[place - channels]) : 0
        let above = y > 0 ? Int(bytes[place - row]) : 0
        let corner = x >= channels && y > 0 ? Int(bytes[place - row - channels]) : 0
        let predicted =
          switch filter {
          case 1: left
          case 2: above
          case 3: (left + above) / 2
          case 4: paeth(left, above, corner)
          default: 0
          }
        bytes[place] = raw[y * (row + 1) + 1 + x] &+ UInt8(truncatingIfNeeded: predicted)
      }
    }
    return bytes
  }

  private static func paeth(_ left: Int, _ above: Int, _ corner: Int) -> Int {
    let estimate = left + above - corner
    let (a, b, c) = (abs(estimate - left), abs(estimate - above), abs(estimate - corner))
    return a <= b && a <= c ? left : b <= c ? above : corner
  }
}
