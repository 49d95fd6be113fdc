package import FoundationEssentials
import Glibc

/// Why a result could not be written.
package struct ResultWriteError: Error, Sendable, CustomStringConvertible {
  package var description: String
  /// The system's words alone, where the system gave a reason.
  package var reason: String?
}

/// The formats of a run's files.
package enum ResultFormat: String, Sendable, CaseIterable {
  case md, json, html, junit, csv, openmetrics

  /// The formats that are written unless the user names others.
  package static let usual: Set<ResultFormat> = [.md, .json]

  /// Whether a run needs a timeline for this format.
  package var drawsTimeline: Bool { self == .html }

  /// The extension of its file. node_exporter's textfile collector reads `.prom` files only.
  package var fileExtension: String {
    switch self {
    case .openmetrics: "prom"
    case .junit: "xml"
    default: rawValue
    }
  }
}

/// Writes a run's files: `<directory>/<YYYY-MM-DD>/<HHMMSS>Z-<tool>[-<label>].<extension>`.
///
/// A file that exists is never overwritten, and a reader never sees a part of a file.
package struct ResultWriter {
  private let directory: String

  package init(directory: String) {
    self.directory = directory
  }

  /// Writes `contents` (extension → text) under one stem; returns the paths.
  ///
  /// - Throws: Where the directory can't be made or a file can't be written; then no file of the run is left behind.
  package func write(
    tool: String, label: String?, startedAt: Date, contents: [(fileExtension: String, text: String)]
  ) throws(ResultWriteError) -> [String] {
    let stamp = Timestamp(startedAt)
    let folder = "\(directory)/\(stamp.day)"
    try Self.makeDirectories(folder)
    let suffix = label.map { "-" + Self.fileName(of: $0) } ?? ""
    let stem = "\(folder)/\(stamp.compactTime)Z-\(tool)\(suffix)"
    return try Self.write(
      contents.map { (suffix: ".\($0.fileExtension)", text: $0.text) }, stem: stem, isOwnStem: false)
  }

  /// Writes `contents` (what follows the stem → text) into the directory itself; returns the paths.
  ///
  /// - Parameter stem: The name of a stored result's own file. Other formats of that result may already have it, so
  ///   only equal names are numbered.
  package func write(
    stem: String, contents: [(suffix: String, text: String)]
  ) throws(ResultWriteError) -> [String] {
    try Self.makeDirectories(directory)
    return try Self.write(contents, stem: "\(directory)/\(stem)", isOwnStem: true)
  }

  /// Makes an empty file for a run that has just begun, to which it appends; returns its descriptor and path, and the
  /// stem that the run's other files take too.
  ///
  /// - Throws: Where the directory or the file can't be made.
  package func create(
    tool: String, label: String?, startedAt: Date, suffix: String
  ) throws(ResultWriteError) -> (descriptor: Int32, path: String, folder: String, stem: String) {
    let stamp = Timestamp(startedAt)
    let folder = "\(directory)/\(stamp.day)"
    try Self.makeDirectories(folder)
    let label = label.map { "-" + Self.fileName(of: $0) } ?? ""
    let name = "\(stamp.compactTime)Z-\(tool)\(label)"
    for attempt in 1...10_000 {
      let stem = attempt == 1 ? name : "\(name)-\(attempt)"
      if Self.isTaken("\(folder)/\(stem)") { continue }
      let path = "\(folder)/\(stem)\(suffix)"
      let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
      if file >= 0 {
        // The file's name has to be on the disk before its first line is.
        try Self.syncDirectory(of: path)
        return (file, path, folder, stem)
      }
      guard errno == EEXIST else { throw Self.failure("create", path) }
    }
    throw ResultWriteError(description: "'\(folder)/\(name)' and 10,000 names after it exist already")
  }

  /// Files of one stem belong to one run, whichever formats each run writes.
  private static func write(
    _ contents: [(suffix: String, text: String)], stem: String, isOwnStem: Bool
  ) throws(ResultWriteError) -> [String] {
    for attempt in 1...10_000 {
      let candidate = attempt == 1 ? stem : "\(stem)-\(attempt)"
      if !(isOwnStem && attempt == 1), isTaken(candidate) { continue }
      if let paths = try writeAll(contents, stem: candidate) { return paths }
    }
    throw ResultWriteError(description: "'\(stem)' and 10,000 names after it exist already")
  }

  /// A label as a part of a file name: other characters than ASCII letters, digits, `.`, `_` and `-` become `-`.
  package static func fileName(of label: String) -> String {
    String(label.map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "-" })
  }

  /// Replaces a file's contents. A reader sees either the old or the new contents.
  package static func replace(_ path: String, with text: String) throws(ResultWriteError) {
    let temporary = try writeTemporary(text, beside: path)
    guard rename(temporary, path) == 0 else {
      let error = failure("rename", path)
      unlink(temporary)
      throw error
    }
  }

  /// Makes a directory and its parents.
  package static func makeDirectories(_ path: String) throws(ResultWriteError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      // The error's description is for programmers, so the system call is repeated for its reason.
      let reason = mkdir(path, 0o755) == 0 ? "\(error)" : String(cString: strerror(errno))
      throw ResultWriteError(description: "cannot make the directory '\(path)': \(reason)")
    }
  }

  private static func isTaken(_ stem: String) -> Bool {
    (ResultFormat.allCases.map { ".\($0.fileExtension)" } + [SoakLine.fileSuffix, AssignmentFile.suffix]).contains {
      access("\(stem)\($0)", F_OK) == 0
    }
  }

  /// Writes all files; nil when one of the names is taken. In that case, and after an error, no file is left behind.
  private static func writeAll(
    _ contents: [(suffix: String, text: String)], stem: String
  ) throws(ResultWriteError) -> [String]? {
    // All contents are written before the first file gets its name: the disk may be full.
    var files: [(temporary: String, path: String)] = []
    defer { for file in files { unlink(file.temporary) } }
    for (suffix, text) in contents {
      let path = stem + suffix
      files.append((try writeTemporary(text, beside: path), path))
    }
    for (index, file) in files.enumerated() {
      let reason = place(file.temporary, at: file.path)
      if reason == 0 { continue }
      for earlier in files[..<index] { unlink(earlier.path) }
      guard reason == EEXIST else {
        errno = reason
        throw failure("link", file.path)
      }
      return nil
    }
    try syncDirectory(of: stem)
    return files.map(\.path)
  }

  /// Gives a file its name unless that exists; returns 0 or errno.
  private static func place(_ temporary: String, at path: String) -> Int32 {
    // A hard link fails where the name exists; rename would replace that file.
    if link(temporary, path) == 0 { return 0 }
    guard [EPERM, EOPNOTSUPP, ENOSYS, EMLINK].contains(errno) else { return errno }
    // On a file system without hard links, an empty file reserves the name and is then replaced.
    let reservation = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard reservation >= 0 else { return errno }
    close(reservation)
    if rename(temporary, path) == 0 { return 0 }
    let reason = errno
    unlink(path)
    return reason
  }

  private static func writeTemporary(_ text: String, beside path: String) throws(ResultWriteError) -> String {
    // The name is random: writers on several machines share directories, and in containers each of them is process 1.
    let temporary = "\(path).\(String(UInt64.random(in: 0 ... .max), radix: 36)).tmp"
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard file >= 0 else { throw failure("create", temporary) }
    defer { close(file) }
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let error = failure("write", temporary)
        unlink(temporary)
        throw error
      }
      bytes = bytes.dropFirst(count)
    }
    guard fsync(file) == 0 else {
      let error = failure("fsync", temporary)
      unlink(temporary)
      throw error
    }
    return temporary
  }

  private static func syncDirectory(of path: String) throws(ResultWriteError) {
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", folder) }
    fsync(descriptor)
    close(descriptor)
  }

  private static func failure(_ operation: String, _ path: String) -> ResultWriteError {
    let reason = String(cString: strerror(errno))
    return ResultWriteError(description: "cannot \(operation) '\(path)': \(reason)", reason: reason)
  }
}
