internal import Glibc

/// Runs `body`, again if a signal interrupted it, and turns its -1 into an error.
@inline(__always)
@discardableResult
func systemCall<Result: SignedInteger>(
  _ call: StaticString, on name: UnsafePointer<CChar>, _ body: () -> Result
) throws(WorkspaceError) -> Result {
  while true {
    let result = body()
    if result >= 0 { return result }
    let cause = errno
    if cause != EINTR { throw WorkspaceError.failed(call, on: String(cString: name), cause: cause) }
  }
}

/// The whole text of a small file of the kernel's, such as those in `/proc`, whose size can't be known beforehand.
func readWholeFile(_ path: String) throws(WorkspaceError) -> String {
  let file = try systemCall("open", on: path) { open(path, O_RDONLY | O_CLOEXEC) }
  defer { close(file) }
  var text: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 16_384)
  while true {
    let count = try systemCall("read", on: path) { read(file, &buffer, buffer.count) }
    if count == 0 { return String(decoding: text, as: UTF8.self) }
    text += buffer[..<count]
  }
}
