import FoundationEssentials
import Glibc

/// A file with its identity in the system, which does not depend on the path that leads to it.
package struct ResultFile: Sendable, Equatable {
  package struct Identity: Sendable, Hashable {
    var device: UInt
    var inode: UInt
  }

  package var path: String
  package var identity: Identity

  package init(path: String, identity: Identity) {
    self.path = path
    self.identity = identity
  }

  /// One of several results that are not read from files. No file on a disk has the device 0, so they are never taken
  /// for files.
  package init(path: String, unwritten number: Int) {
    self.init(path: path, identity: Identity(device: 0, inode: UInt(number)))
  }
}

extension ResultFile.Identity {
  init(_ status: stat) {
    self.init(device: UInt(status.st_dev), inode: UInt(status.st_ino))
  }
}

/// The bytes of a file, with its identity.
package struct FileContents: Sendable {
  let identity: ResultFile.Identity
  package let bytes: [UInt8]
  /// The largest size, in bytes. No result is as large, but other files that end in .json may be.
  package static let limit = 64 << 20

  /// Reads the file in pieces, because a pipe does not tell its size.
  ///
  /// - Parameter ordinaryOnly: Refuses pipes and devices, because reading them may wait without end.
  package init(
    _ path: String, ordinaryOnly: Bool = false, limit: Int = FileContents.limit
  ) throws(FileReadError) {
    let file = open(path, O_RDONLY | O_CLOEXEC | (ordinaryOnly ? O_NONBLOCK : 0))
    guard file >= 0 else { throw .system(errno) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw .system(errno) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw .folder
    default: if ordinaryOnly { throw .notOrdinary }
    }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(file, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system(errno) }
      if count == 0 { break }
      bytes += buffer[..<count]
      guard bytes.count <= limit else { throw .tooLarge }
    }
    identity = .init(status)
    self.bytes = bytes
  }
}

/// Why a file can't be read. The description follows the file's name, or "it".
package enum FileReadError: Error, Equatable, CustomStringConvertible {
  /// The system's error number.
  case system(Int32)
  case folder, notOrdinary, tooLarge

  package var description: String {
    switch self {
    case .system(let number): "can't be read: \(String(cString: strerror(number)))"
    case .folder: "is a folder"
    case .notOrdinary: "is no ordinary file"
    case .tooLarge: "is larger than any result"
    }
  }
}

/// Finds result files at paths.
package struct ResultFileSearch {
  package private(set) var files: [ResultFile] = []
  package private(set) var unreadable: [ExcludedFile] = []
  /// Directories and files that were visited. A link may lead anywhere, also to a directory above it.
  private var seen: Set<ResultFile.Identity> = []

  /// - Parameter paths: Files with any names, and folders, below which every `.json` file is found.
  package init(_ paths: [String]) {
    for path in paths {
      var folders = [path]
      if !isFolder(path) {
        folders = []
        look(at: path)
      }
      while let folder = folders.popLast() { folders += search(folder) }
    }
  }

  private func isFolder(_ path: String) -> Bool { Self.status(of: path).map { Self.isFolder($0) } ?? false }

  /// Searches one folder; returns the folders in it that are still to be searched.
  private mutating func search(_ folder: String) -> [String] {
    guard let status = Self.status(of: folder), seen.insert(.init(status)).inserted else { return [] }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      unreadable.append(ExcludedFile(file: folder, reason: "the folder can't be read"))
      return []
    }
    var folders: [String] = []
    let start = folder.hasSuffix("/") ? folder : folder + "/"
    for name in names.sorted() {
      let path = start + name
      if isFolder(path) {
        folders.append(path)
      } else if name.hasSuffix(".json") {
        look(at: path)
      }
    }
    return folders.reversed()
  }

  private mutating func look(at path: String) {
    guard let status = Self.status(of: path) else {
      unreadable.append(ExcludedFile(file: path, reason: "it can't be reached"))
      return
    }
    // Opening a pipe would wait for a writer.
    guard status.st_mode & S_IFMT == S_IFREG else {
      unreadable.append(ExcludedFile(file: path, reason: "it \(FileReadError.notOrdinary)"))
      return
    }
    guard status.st_size <= FileContents.limit else {
      unreadable.append(ExcludedFile(file: path, reason: "it \(FileReadError.tooLarge)"))
      return
    }
    let identity = ResultFile.Identity(status)
    if seen.insert(identity).inserted { files.append(ResultFile(path: path, identity: identity)) }
  }

  private static func status(of path: String) -> stat? {
    var status = stat()
    return stat(path, &status) == 0 ? status : nil
  }

  private static func isFolder(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFDIR }
}

/// A file that is not compared, and why.
package struct ExcludedFile: Sendable, Equatable {
  package var file: String
  package var reason: String

  package init(file: String, reason: String) {
    self.file = file
    self.reason = reason
  }
}
