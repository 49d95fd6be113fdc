import FoundationEssentials
import Glibc
import ProcessControl
import Testing

/// An sshd on loopback with keys of its own, and a client's configuration for it.
struct PrivateSSH: Sendable {
  /// What `bench-fleet --ssh-config` takes. It knows the machines `shard-a` and `shard-b`, both of them this one.
  let configuration: String
  private let daemon: Tool.Running
  private let scratch: Scratch

  static let isInstalled = access("/usr/sbin/sshd", X_OK) == 0 && ["ssh", "ssh-keygen"].allSatisfy(Tool.isInstalled)

  static func start() async throws -> PrivateSSH {
    let scratch = try Scratch()
    chmod(scratch.path, 0o700)
    // Where sshd, as root, separates its privileges; systemd makes it elsewhere.
    if geteuid() == 0 { mkdir("/run/sshd", 0o755) }
    for key in ["host", "user"] {
      let made = try await Tool.start(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", scratch(key)], in: scratch.path
      ).end()
      guard made.status == .exited(0) else { throw CocoaError(.fileWriteUnknown) }
    }
    let port = try FreePort.next()
    func text(_ name: String) -> String {
      String(decoding: FileManager.default.contents(atPath: scratch(name)) ?? Data(), as: UTF8.self)
    }
    let server = scratch.write(
      "sshd_config",
      """
      ListenAddress 127.0.0.1
      Port \(port)
      HostKey \(scratch("host"))
      AuthorizedKeysFile \(scratch("user.pub"))
      PidFile none
      StrictModes no
      UsePAM no
      PasswordAuthentication no
      PermitRootLogin prohibit-password

      """)
    _ = scratch.write("known_hosts", "infrabench-test \(text("host.pub"))")
    let client = scratch.write(
      "ssh_config",
      """
      Host shard-a shard-b
        HostName 127.0.0.1
        Port \(port)
        HostKeyAlias infrabench-test
        UserKnownHostsFile \(scratch("known_hosts"))
        GlobalKnownHostsFile none
        StrictHostKeyChecking yes
        IdentityFile \(scratch("user"))
        IdentitiesOnly yes

      """)
    let daemon = try await Tool.start(["/usr/sbin/sshd", "-D", "-e", "-f", server], in: scratch.path)
    try await eventually("sshd does not listen") {
      daemon.standardErrorSoFar.contains("listening") || daemon.child.exitStatus != nil
    }
    return PrivateSSH(configuration: client, daemon: daemon, scratch: scratch)
  }

  /// What the daemon has said.
  var log: String { daemon.standardErrorSoFar }

  func stop() async {
    daemon.child.signal(SIGTERM)
    _ = await daemon.child.waitForExit()
  }
}

/// Ports of loopback that were free a moment ago.
enum FreePort {
  static func next() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
      }
    }
    guard bound else { throw CocoaError(.fileReadUnknown) }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}
