import FoundationEssentials
import Glibc

/// Finds the files of results at a path.
struct ResultFileSearch {
  private(set) var files: [StoredFile] = []
  private(set) var unreadable: [ExcludedFile] = []
  /// Directories and files that were seen: a link may lead anywhere, back up too.
  private var seen: Set<StoredFile.Identity> = []

  /// A file by any name, or every `.json` file below a folder.
  init(_ paths: [String]) {
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

  /// The folders in it that are still to be searched.
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
    // Opening a pipe would wait for whoever writes into it.
    guard status.st_mode & S_IFMT == S_IFREG else {
      unreadable.append(ExcludedFile(file: path, reason: "it \(FileReadError.notOrdinary)"))
      return
    }
    guard status.st_size <= FileContents.limit else {
      unreadable.append(ExcludedFile(file: path, reason: "it \(FileReadError.tooLarge)"))
      return
    }
    let identity = StoredFile.Identity(status)
    if seen.insert(identity).inserted { files.append(StoredFile(path: path, identity: identity)) }
  }

  private static func status(of path: String) -> stat? {
    var status = stat()
    return stat(path, &status) == 0 ? status : nil
  }

  private static func isFolder(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFDIR }
}
