import Glibc

/// A file as it was read.
struct FileContents: Sendable {
  let identity: StoredFile.Identity
  let bytes: [UInt8]
  /// In bytes. No result is so large; other things that are called .json may be.
  static let limit = 64 << 20

  /// Reads it in pieces, because a pipe has no size that could be asked for.
  ///
  /// - Parameter ordinaryOnly: refuses pipes and devices, which would be waited for.
  init(_ path: String, ordinaryOnly: Bool = false) throws(FileReadError) {
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
      guard bytes.count <= Self.limit else { throw .tooLarge }
    }
    identity = .init(status)
    self.bytes = bytes
  }
}

/// Why a file can't be read; the description follows the file's name, or "it".
enum FileReadError: Error, Equatable, CustomStringConvertible {
  /// The system's error number.
  case system(Int32)
  case folder, notOrdinary, tooLarge

  var description: String {
    switch self {
    case .system(let number): "can't be read: \(String(cString: strerror(number)))"
    case .folder: "is a folder"
    case .notOrdinary: "is no ordinary file"
    case .tooLarge: "is larger than any result"
    }
  }
}
