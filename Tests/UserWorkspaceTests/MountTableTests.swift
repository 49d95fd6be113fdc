import Testing

@testable import UserWorkspace

@Suite struct MountTableTests {
  /// Lines as Linux writes them, in containers and on hosts.
  static let text = #"""
    22 1 259:1 / / rw,noatime shared:1 - ext4 /dev/root rw,discard,errors=remount-ro
    24 22 0:5 / /dev rw,nosuid shared:2 - devtmpfs devtmpfs rw,size=4096k,mode=755
    25 22 0:26 / /tmp rw,nosuid,nodev shared:3 master:4 propagate_from:5 unbindable - tmpfs tmpfs rw,size=8g
    26 22 0:48 / /mnt/efs rw,relatime shared:9 - nfs4 fs-0123456789abcdef0.efs.eu-west-1.amazonaws.com:/ rw,vers=4.1,rsize=1048576,wsize=1048576,namlen=255,hard,noresvport,proto=tcp,timeo=600,retrans=2,sec=sys,clientaddr=10.0.1.5,local_lock=none,addr=10.0.1.77
    27 22 0:49 / /mnt/tls rw,relatime - nfs4 127.0.0.1:/ rw,vers=4.1,hard,noresvport,proto=tcp,port=20127,timeo=600,lookupcache=positive,noac,acregmin=0,acregmax=0,acdirmin=0,acdirmax=0,addr=127.0.0.1
    28 22 0:48 /users /srv/users rw,relatime shared:9 - nfs4 fs-0123456789abcdef0.efs.eu-west-1.amazonaws.com:/users rw,vers=4.1,actimeo=1
    29 22 0:50 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/var/lib/l/A:/var/lib/l/B,upperdir=/var/lib/u,workdir=/var/lib/w
    30 22 259:1 /var/data /data/a\040b\011c\134d\012e rw,relatime - ext4 /dev/root rw,discard
    31 22 0:51 / /mnt/share rw - cifs //server/my\040share rw,vers=3.1.1
    32 26 0:52 / /mnt/efs-other rw - xfs /dev/nvme1n1 rw
    33 22 0:53 / /mnt/efs/cover rw - tmpfs first rw
    34 33 0:54 / /mnt/efs/cover rw - tmpfs second rw
    """#

  let table = MountTable(parsing: text)

  @Test func everyDocumentedLineIsRead() {
    #expect(table.entries.map(\.id) == Array(22...22) + Array(24...34))
  }

  @Test func anyNumberOfOptionalTagsIsPassedOver() {
    #expect(table.entry(id: 25)?.type == "tmpfs")
    #expect(table.entry(id: 25)?.options == ["rw", "nosuid", "nodev", "size=8g"])
    #expect(table.entry(id: 27)?.source == "127.0.0.1:/")
  }

  @Test func escapedCharactersAreRestored() {
    #expect(table.entry(id: 30)?.mountPoint == "/data/a b\tc\\d\ne")
    #expect(table.entry(id: 31)?.source == "//server/my share")
  }

  @Test(arguments: [
    ("/", 29), ("/home/user", 29), ("/tmp", 25), ("/tmp/x/y", 25), ("/tmpx", 29), ("/mnt/efs", 26), ("/mnt/efs/test/user", 26),
    ("/mnt/efs-other/x", 32), ("/mnt/efs/cover/x", 34), ("/mnt/efs/covers", 26), ("/srv/users/u", 28),
    ("/data/a b\tc\\d\ne/file", 30), ("/data/a", 29),
  ])
  func theLongestMountPointHoldsAPath(path: String, id: Int) {
    #expect(table.entry(holding: path)?.id == id)
  }

  @Test func theDeviceTellsACoveredMountFromTheOneAbove() {
    #expect(table.entry(holding: "/home/user", device: "259:1")?.id == 22)
    #expect(table.entry(holding: "/home/user", device: "0:50")?.id == 29)
    #expect(table.entry(holding: "/home/user", device: "99:99")?.id == 29)
  }

  @Test(arguments: [
    "", "\n\n", "22", "22 1 259:1 / / rw - ext4", "x 1 259:1 / / rw - ext4 dev rw", "22 1 259:1 / / rw shared:1 ext4 dev rw",
    "- - - - - - - - - -", "22 1 259:1 / / rw -", String(repeating: " ", count: 40),
  ])
  func aBrokenLineIsLeftOut(line: String) {
    #expect(MountTable(parsing: line).entries == [])
  }

  @Test(arguments: [#"/a\04"#, #"/a\"#, #"/a\999"#, #"/a\777"#, #"/a\+12"#])
  func aBrokenEscapeIsKeptAsItIs(mountPoint: String) {
    let table = MountTable(parsing: "1 0 0:1 / \(mountPoint) rw - tmpfs tmpfs rw")
    #expect(table.entries.map(\.mountPoint) == [mountPoint])
  }
}

@Suite struct FileSystemInfoTests {
  private func info(_ id: Int) -> FileSystemInfo {
    FileSystemInfo(path: "/p", entry: MountTable(parsing: MountTableTests.text).entry(id: id), fallbackType: "unknown")
  }

  @Test func efsIsKnownByItsNameAndNeedsNoNote() {
    #expect(info(26).isNetwork && info(26).isNFS && info(26).isNamedEFS)
    #expect(info(26).note == nil)
    #expect(info(26).lookupCache == nil)
    #expect(info(26).attributeCache == [])
  }

  @Test func efsThroughItsTLSHelperIsNFSWithItsCacheOptions() {
    #expect(info(27).isNFS && !info(27).isNamedEFS)
    #expect(info(27).lookupCache == "positive")
    #expect(info(27).attributeCache == ["noac", "acregmin=0", "acregmax=0", "acdirmin=0", "acdirmax=0"])
    #expect(info(28).attributeCache == ["actimeo=1"])
  }

  @Test(arguments: [(22, "local file system (ext4)"), (25, "memory (tmpfs)"), (29, "overlay"), (31, "other than NFS (cifs)")])
  func anyOtherFileSystemIsSaidToBeNoEFS(id: Int, words: String) throws {
    let note = try #require(info(id).note)
    #expect(note.contains(words))
    #expect(note.contains("not on EFS"))
    #expect(info(id).isNetwork == (id == 31))
  }

  @Test func withoutAMountTableTheKernelsMagicNumberRemains() {
    let info = FileSystemInfo(path: "/p", entry: nil, fallbackType: FileSystemInfo.typeName(magic: 0x6969))
    #expect(info.type == "nfs" && info.isNetwork)
    #expect(info.mountPoint == nil && info.options == [])
    #expect(FileSystemInfo.typeName(magic: 0x1234) == "unknown(0x1234)")
  }

  @Test func theKernelFindsTheMountsOfThisMachine() throws {
    let proc = try FileSystemInfo(path: "/proc/self")
    #expect(proc.type == "proc")
    #expect(proc.mountPoint == "/proc")
    #expect(code { try FileSystemInfo(path: "/nowhere/at/all") } == .notFound)
  }
}
