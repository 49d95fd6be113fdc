import Foundation
import Glibc
import TestSupport

/// A real browser without a window; `INFRABENCH_CHROMIUM` names it where it is none of the usual.
enum Chromium {
  static let path: String? = {
    let named = ProcessInfo.processInfo.environment["INFRABENCH_CHROMIUM"].map { [$0] }
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
    return (named ?? usual).first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  enum Scheme: Int, CaseIterable {
    case dark, light
  }

  /// Loads a page of its own folder and returns the document as it is after its scripts.
  static func document(of page: URL, width: Int = 1280) async throws -> String {
    try await run(["--window-size=\(width),800", "--dump-dom", page.absoluteString])
  }

  /// A picture of a page.
  static func screenshot(of page: URL, width: Int, height: Int, _ scheme: Scheme, in folder: URL) async throws -> Pixels
  {
    let file = folder.appending(path: "\(width)-\(scheme).png")
    _ = try await run([
      "--window-size=\(width),\(height)", "--hide-scrollbars",
      "--blink-settings=preferredColorScheme=\(scheme.rawValue)", "--screenshot=\(file.path)", page.absoluteString,
    ])
    return try Pixels(png: [UInt8](Data(contentsOf: file)))
  }

  /// Its standard output. Ended by its id after 120 s.
  private static func run(_ arguments: [String]) async throws -> String {
    guard let path else { throw Failure(description: "no browser") }
    let folder = try ScratchDirectory()
    let output = URL(filePath: folder.path).appending(path: "output")
    try Data().write(to: output)
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.arguments =
      [
        "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-dev-shm-usage", "--force-device-scale-factor=1",
        "--allow-file-access-from-files", "--virtual-time-budget=5000", "--user-data-dir=\(folder.path)/profile",
      ] + arguments
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = FileHandle.nullDevice
    try process.run()
    let deadline = ContinuousClock.now + .seconds(120)
    while process.isRunning {
      guard ContinuousClock.now < deadline else {
        kill(process.processIdentifier, SIGKILL)
        throw Failure(description: "the browser did not end within 120 s")
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    guard process.terminationStatus == 0 else {
      throw Failure(description: "the browser ended with \(process.terminationStatus)")
    }
    return String(decoding: try Data(contentsOf: output), as: UTF8.self)
  }
}
