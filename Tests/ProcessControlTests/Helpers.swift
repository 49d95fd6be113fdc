import Foundation
import Glibc
import ProcessControl
import Testing

func shell(
  _ script: String, input: ProcessRequest.Stream = .null, output: ProcessRequest.Stream = .null,
  error: ProcessRequest.Stream = .inherit
) -> ProcessRequest {
  ProcessRequest(
    executable: "/bin/sh", arguments: ["-c", script], standardInput: input, standardOutput: output,
    standardError: error)
}

/// All that comes until the end of file.
func text(of stream: OwnedDescriptor?) throws -> String {
  let stream = try #require(stream)
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 4096)
  while true {
    let count = read(stream.descriptor, &buffer, buffer.count)
    guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
    bytes += buffer.prefix(count)
  }
}

/// One line, without its end.
func line(of stream: OwnedDescriptor?) throws -> String {
  let stream = try #require(stream)
  var bytes: [UInt8] = []
  var byte: UInt8 = 0
  while read(stream.descriptor, &byte, 1) == 1, byte != UInt8(ascii: "\n") { bytes.append(byte) }
  return String(decoding: bytes, as: UTF8.self)
}

/// Open descriptors of this process, except the one that lists them.
func descriptors() throws -> Set<String> {
  Set(try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))
}

/// Waits (10 s at most) until a process that isn't ours has ended; a zombie that nobody has reaped yet has ended too.
func isGone(_ pid: Int32) async -> Bool {
  for _ in 0..<1000 {
    guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return true }
    if let close = stat.lastIndex(of: ")"), stat[close...].dropFirst(2).first == "Z" { return true }
    try? await Task.sleep(for: .milliseconds(10))
  }
  return false
}

/// Unbuffered, for a process that is about to be killed.
func say(_ text: String) { _ = write(STDOUT_FILENO, text, text.utf8.count) }

/// The number in the line `name=number` of an exit test's output.
func number(_ name: String, in output: [UInt8]?) -> Int32? {
  let lines = String(decoding: output ?? [], as: UTF8.self).split(separator: "\n")
  return lines.first { $0.hasPrefix("\(name)=") }.flatMap { Int32($0.dropFirst(name.utf8.count + 1)) }
}
