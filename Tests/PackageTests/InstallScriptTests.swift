import Foundation
import Testing

/// `packaging/install.sh`, in an archive whose programs are scripts. scripts/test-packages.sh runs the real archive on a bare system.
struct InstallScriptTests {
  /// An unpacked archive and a folder to install in.
  private final class Archive {
    let folder = FileManager.default.temporaryDirectory.appending(path: "install test \(UUID().uuidString)")

    init() throws {
      let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../packaging/install.sh")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try fill()
      try FileManager.default.copyItem(at: script.standardizedFileURL, to: folder.appending(path: "archive/install.sh"))
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func fill() throws {
      try write("archive/lib/infrabench/infrabench", "#!/bin/sh\necho 0.2.0\n", mode: 0o755)
      try write("archive/share/man/man1/infrabench.1.gz", "a man page")
      try FileManager.default.createDirectory(
        at: folder.appending(path: "archive/bin"), withIntermediateDirectories: true)
      for name in ["infrabench", "bench-suite"] {
        try FileManager.default.createSymbolicLink(
          atPath: folder.appending(path: "archive/bin/\(name)").path,
          withDestinationPath: "../lib/infrabench/infrabench")
      }
    }

    func write(_ path: String, _ text: String, mode: Int = 0o644) throws {
      let file = folder.appending(path: path)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
    }

    func remove(_ path: String) throws { try FileManager.default.removeItem(at: folder.appending(path: path)) }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: folder.appending(path: path).path) }

    /// All files, links and folders below `path`, sorted; empty if there is no such folder.
    func tree(_ path: String) -> [String] {
      FileManager.default.enumerator(atPath: folder.appending(path: path).path)?.compactMap { $0 as? String }.sorted()
        ?? []
    }

    /// Runs a program of this folder in this folder. Both output streams are in `text`.
    func run(_ program: String, _ arguments: [String] = []) throws -> (status: Int32, text: String) {
      let process = Process()
      process.executableURL = folder.appending(path: program)
      process.arguments = arguments
      process.currentDirectoryURL = folder
      let pipe = Pipe()
      process.standardOutput = pipe
      process.standardError = pipe
      try process.run()
      let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      return (process.terminationStatus, text)
    }

    func install(_ arguments: [String] = ["--prefix", "the prefix"]) throws -> (status: Int32, text: String) {
      try run("archive/install.sh", arguments)
    }
  }

  private static let installed = [
    "bin", "bin/bench-suite", "bin/infrabench", "lib", "lib/infrabench", "lib/infrabench/infrabench",
    "lib/infrabench/install.sh", "lib/infrabench/installed-files", "share", "share/man", "share/man/man1",
    "share/man/man1/infrabench.1.gz",
  ]

  @Test func installsAndTheInstalledCopyLeavesNothing() throws {
    let archive = try Archive()
    let installing = try archive.install()
    #expect(installing.status == 0, "\(installing.text)")
    #expect(installing.text.contains("note: \(archive.folder.path)/the prefix/bin is not on your PATH"))
    #expect(archive.tree("the prefix") == Self.installed)
    #expect(try archive.run("the prefix/bin/bench-suite").text == "0.2.0\n")
    try archive.remove("archive")

    let removing = try archive.run("the prefix/lib/infrabench/install.sh", ["--uninstall"])
    #expect(removing.status == 0, "\(removing.text)")
    #expect(!archive.exists("the prefix"))
  }

  @Test func leavesFoldersAndFilesOfOthers() throws {
    let archive = try Archive()
    try archive.write("the prefix/share/man/theirs", "")
    let before = archive.tree("the prefix")
    #expect(try archive.install().status == 0)
    try archive.write("the prefix/bin/theirs", "")
    #expect(try archive.install(["--uninstall", "--prefix=the prefix"]).status == 0)
    #expect(archive.tree("the prefix") == (before + ["bin", "bin/theirs"]).sorted())
  }

  @Test func anotherVersionTakesThePlaceOfTheFirst() throws {
    let archive = try Archive()
    #expect(try archive.install().status == 0)
    try archive.remove("archive/bin/bench-suite")
    try archive.write("archive/share/fish/new.fish", "")
    #expect(try archive.install().status == 0)
    let expected = Self.installed.filter { $0 != "bin/bench-suite" } + ["share/fish", "share/fish/new.fish"]
    #expect(archive.tree("the prefix") == expected.sorted())
    #expect(try archive.install(["--uninstall", "--prefix", "the prefix"]).status == 0)
    #expect(!archive.exists("the prefix"))
  }

  @Test func refusesToOverwriteWhatItDidNotInstall() throws {
    let archive = try Archive()
    try archive.write("the prefix/bin/infrabench", "theirs")
    let refused = try archive.install()
    #expect(refused.status == 1)
    #expect(refused.text.contains("the prefix/bin/infrabench is there already, and this did not install it"))
    #expect(archive.tree("the prefix") == ["bin", "bin/infrabench"])
  }

  @Test func installsNothingWhereTheProgramDoesNotRun() throws {
    let archive = try Archive()
    try archive.write(
      "archive/lib/infrabench/infrabench", "#!/bin/sh\necho 'libz.so.1: cannot open' >&2\nexit 127\n", mode: 0o755)
    let refused = try archive.install()
    #expect(refused.status == 1)
    #expect(refused.text.hasPrefix("libz.so.1: cannot open\nerror: the program does not run on this system"))
    #expect(!archive.exists("the prefix"))
  }

  @Test(arguments: [
    (["--prefix"], 64, "--prefix needs a folder"),
    (["--prefiks", "x"], 64, "there is no '--prefiks'"),
    (["--prefix", "no/such/folder"], 1, "make it first"),
    (["--uninstall", "--prefix", "the prefix"], 1, "did not install anything in"),
    (["--help"], 0, "./install.sh [--prefix DIR]"),
  ])
  func saysWhatIsWrongAndChangesNothing(arguments: [String], status: Int32, text: String) throws {
    let archive = try Archive()
    let answer = try archive.install(arguments)
    #expect(answer.status == status)
    #expect(answer.text.contains(text))
    #expect(archive.tree("") == archive.tree("").filter { $0.hasPrefix("archive") })
  }
}
