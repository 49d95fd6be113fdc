/// One line of `/proc/self/mountinfo`: see proc_pid_mountinfo(5).
public struct MountEntry: Sendable, Equatable {
  /// Unique among the mounts of one moment.
  public let id: Int
  /// `major:minor`, as `stat` gives it for files on this mount (btrfs and overlay may differ).
  public let device: String
  /// Which part of the file system is mounted here: `/`, or a sub-directory for a bind mount.
  public let root: String
  /// Where, as this process sees it.
  public let mountPoint: String
  /// Options of this mount, then those of the file system, in the kernel's order.
  public let options: [String]
  /// `nfs4`, `ext4`, `overlay`…
  public let type: String
  /// A device, a server's export, or any word, such as `tmpfs`.
  public let source: String
}

/// The mounts a process sees, parsed from the text of `/proc/self/mountinfo`. Pure: no file is touched.
public struct MountTable: Sendable, Equatable {
  /// In the kernel's order: a later entry covers an earlier one on the same mount point.
  public let entries: [MountEntry]

  /// Lines that don't have the documented form are left out.
  public init(parsing text: some StringProtocol) {
    entries = text.split(separator: "\n").compactMap { Self.entry(Substring($0)) }
  }

  /// The mount with this id.
  public func entry(id: Int) -> MountEntry? { entries.last { $0.id == id } }

  /// The mount that an absolute path without symbolic links is on: the longest mount point above it, among those with `device`
  /// if there is any such; of equals the last, which covers the others.
  public func entry(holding path: String, device: String? = nil) -> MountEntry? {
    let above = entries.filter { Self.isPath(path, in: $0.mountPoint) }
    let onDevice = above.filter { $0.device == device }
    return (onDevice.isEmpty ? above : onDevice).reduce(nil) { best, next in
      guard let best, best.mountPoint.utf8.count > next.mountPoint.utf8.count else { return next }
      return best
    }
  }

  private static func isPath(_ path: String, in mountPoint: String) -> Bool {
    let path = Array(path.utf8)
    let mountPoint = Array(mountPoint.utf8)
    if mountPoint == [UInt8(ascii: "/")] { return path.first == mountPoint.first }
    return path.starts(with: mountPoint) && (path.count == mountPoint.count || path[mountPoint.count] == UInt8(ascii: "/"))
  }

  /// `36 35 98:0 /root /point rw,noatime shared:1 … - type source super,options`: any number of tags before the lone dash.
  private static func entry(_ line: Substring) -> MountEntry? {
    let fields = line.split(separator: " ", omittingEmptySubsequences: false)
    guard fields.count >= 9, let dash = fields[6...].firstIndex(of: "-"), fields.count > dash + 3,
      let id = Int(fields[0])
    else { return nil }
    let options = fields[5].split(separator: ",") + fields[dash + 3].split(separator: ",")
    var seen: Set<Substring> = []
    return MountEntry(
      id: id, device: String(fields[2]), root: unescaped(fields[3]), mountPoint: unescaped(fields[4]),
      options: options.filter { seen.insert($0).inserted }.map(unescaped),
      type: unescaped(fields[dash + 1]), source: unescaped(fields[dash + 2]))
  }

  /// The kernel writes space, tab, newline, backslash and `#` as a backslash and three octal digits.
  private static func unescaped(_ field: Substring) -> String {
    let bytes = Array(field.utf8)
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if let escaped = octalEscape(bytes[index...]) {
        result.append(escaped)
        index += 4
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  private static func octalEscape(_ bytes: ArraySlice<UInt8>) -> UInt8? {
    guard bytes.first == UInt8(ascii: "\\"), bytes.count >= 4 else { return nil }
    return UInt8(String(decoding: bytes.dropFirst().prefix(3), as: UTF8.self), radix: 8)
  }
}
