import CWorkspace
import Glibc

/// The kind of file system that a path is on, without which a result's times mean little.
public struct FileSystemInfo: Sendable, Equatable {
  /// The examined path.
  public let path: String
  /// `nfs4`, `ext4`, `tmpfs`…; `unknown(0x…)` with the kernel's magic number for a type without a known name.
  public let type: String
  /// The server's export or the device; nil when the mount table could not be read.
  public let source: String?
  /// The mount point; nil when the mount table could not be read.
  public let mountPoint: String?
  /// Mount options, then the file system's own; empty when the mount table could not be read.
  public let options: [String]

  /// Whether each operation may need a round trip over the network: NFS (so EFS), SMB, 9p, Ceph, Lustre and the like.
  public var isNetwork: Bool { Self.networkTypes.contains(type) }

  /// Whether the file system is NFS, the protocol of EFS.
  public var isNFS: Bool { type == "nfs" || type == "nfs4" }

  /// Whether this is certainly Amazon EFS, mounted under its DNS name. A mount through its TLS helper (from 127.0.0.1),
  /// or by IP address, cannot be told from any other NFS server.
  public var isNamedEFS: Bool { isNFS && (source?.contains(".efs.") ?? false) }

  /// NFS's `lookupcache` (`all`, `positive`, `none`): whether a failed look-up may be cached. nil: the default, `all`.
  public var lookupCache: String? { value(of: "lookupcache") }

  /// NFS's options for the caching of attributes (`noac`, `actimeo=`, `acregmin=`…), as written; empty: 3 s to 60 s.
  public var attributeCache: [String] {
    let names: Set<Substring> = ["ac", "noac", "actimeo", "acregmin", "acregmax", "acdirmin", "acdirmax"]
    return options.filter { option in option.split(separator: "=").first.map(names.contains) ?? false }
  }

  /// A note for the reader of a result that was not measured on EFS; nil on NFS.
  public var note: String? {
    if isNFS { return nil }
    let place =
      switch type {
      case "tmpfs", "ramfs": "memory (\(type))"
      case "overlay": "a container's own layer (overlay)"
      case _ where isNetwork: "a network file system other than NFS (\(type))"
      default: "a local file system (\(type))"
      }
    return "'\(path)' is on \(place), not on EFS: the times are this one's, and say nothing about EFS, "
      + "where every step is a network round trip; give --root on the EFS mount to measure that"
  }

  /// - Throws: ``WorkspaceError`` when `path` cannot be reached.
  public init(path: String) throws(WorkspaceError) {
    let file = try DirectoryDescriptor(root: path)
    let mounts = MountTable(parsing: (try? readWholeFile("/proc/thread-self/mountinfo")) ?? "")
    let entry = Self.mountID(of: file).flatMap { mounts.entry(id: $0) } ?? Self.lookUp(path, in: mounts)
    self.init(path: path, entry: entry, fallbackType: Self.typeName(magic: workspace_file_system_magic(file.number)))
  }

  init(path: String, entry: MountEntry?, fallbackType: String) {
    self.path = path
    type = entry?.type ?? fallbackType
    source = entry?.source
    mountPoint = entry?.mountPoint
    options = entry?.options ?? []
  }

  private func value(of name: String) -> String? {
    options.last { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
  }

  private static let networkTypes: Set<String> = [
    "nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.ceph", "lustre", "beegfs", "gfs2",
    "ocfs2",
    "glusterfs", "fuse.glusterfs", "fuse.sshfs", "fuse.s3fs", "fuse.mountpoint-s3", "ncpfs", "coda",
  ]

  /// The id of the mount that an open directory is on, from the kernel; nil where the kernel does not tell it.
  private static func mountID(of file: borrowing DirectoryDescriptor) -> Int? {
    let text = (try? readWholeFile("/proc/thread-self/fdinfo/\(file.number)")) ?? ""
    for line in text.split(separator: "\n") where line.hasPrefix("mnt_id:") {
      return Int(line.dropFirst("mnt_id:".count).filter { $0.isNumber })
    }
    return nil
  }

  /// Finds the mount by path and device, for kernels that do not tell it (gVisor, for one).
  static func lookUp(_ path: String, in mounts: MountTable) -> MountEntry? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    var status = stat()
    guard stat(resolved, &status) == 0 else { return nil }
    let device = "\(workspace_device_major(status.st_dev)):\(workspace_device_minor(status.st_dev))"
    return mounts.entry(holding: String(cString: resolved), device: device)
  }

  /// The name for a magic number of `statfs`; source: statfs(2), linux/magic.h.
  static func typeName(magic: UInt32) -> String {
    switch magic {
    case 0x6969: "nfs"
    case 0xEF53: "ext4"
    case 0x0102_1994: "tmpfs"
    case 0x794C_7630: "overlay"
    case 0x5846_5342: "xfs"
    case 0x9123_683E: "btrfs"
    case 0xFF53_4D42: "cifs"
    case 0xFE53_4D42: "smb2"
    case 0x6573_5546: "fuse"
    case 0x0102_1997: "9p"
    case 0x0BD0_0BD0: "lustre"
    case 0x00C3_6400: "ceph"
    case 0x2FC1_2FC1: "zfs"
    case 0x8584_58F6: "ramfs"
    default: "unknown(0x\(String(magic, radix: 16)))"
    }
  }
}

/// One line of `/proc/self/mountinfo`: see proc_pid_mountinfo(5).
public struct MountEntry: Sendable, Equatable {
  /// The mount's id, unique among the mounts of one moment.
  public let id: Int
  /// `major:minor`, as `stat` gives it for files on this mount (btrfs and overlay may differ).
  public let device: String
  /// The part of the file system that is mounted here: `/`, or a sub-directory for a bind mount.
  public let root: String
  /// The mount point, as this process sees it.
  public let mountPoint: String
  /// Options of this mount, then those of the file system, in the kernel's order.
  public let options: [String]
  /// `nfs4`, `ext4`, `overlay`…
  public let type: String
  /// A device, a server's export, or any word, such as `tmpfs`.
  public let source: String
}

/// The mounts that a process sees, parsed from the text of `/proc/self/mountinfo`. Pure: no file is touched.
public struct MountTable: Sendable, Equatable {
  /// In the kernel's order: a later entry covers an earlier one on the same mount point.
  public let entries: [MountEntry]

  /// Parses the text; lines without the documented form are left out.
  public init(parsing text: some StringProtocol) {
    entries = text.split(separator: "\n").compactMap { Self.entry(Substring($0)) }
  }

  /// The mount with this id.
  public func entry(id: Int) -> MountEntry? { entries.last { $0.id == id } }

  /// The mount that an absolute path without symbolic links is on: the longest mount point above it, among the mounts
  /// with `device` if there are any; of equal ones the last, which covers the others.
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
    return path.starts(with: mountPoint)
      && (path.count == mountPoint.count || path[mountPoint.count] == UInt8(ascii: "/"))
  }

  /// Parses `36 35 98:0 /root /point rw,noatime shared:1 … - type source super,options`, with any number of tags before
  /// the lone dash.
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

  /// The text of a field in which the kernel wrote space, tab, newline, backslash and `#` as a backslash and three
  /// octal digits.
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
    let digits = bytes.dropFirst().prefix(3)
    guard bytes.first == UInt8(ascii: "\\"), digits.count == 3 else { return nil }
    // Three octal digits are at most 0o377. `UInt8(_:radix:)` without this check would accept a sign.
    guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }) else { return nil }
    return UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
  }
}
