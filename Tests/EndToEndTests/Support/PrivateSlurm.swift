import FoundationEssentials
import Glibc
import ProcessControl
import Testing

/// A whole Slurm on this machine, with a configuration and a key of its own: munged, slurmctld and slurmd.
struct PrivateSlurm: Sendable {
  /// What a client of it needs.
  let environment: [String: String]
  private let daemons: [Tool.Running]
  private let scratch: Scratch

  /// slurmd starts jobs as their users, which root alone can.
  static let isInstalled =
    geteuid() == 0
    && ["munged", "slurmctld", "slurmd"].allSatisfy { (name: String) in access("/usr/sbin/\(name)", X_OK) == 0 }
    && ["sbatch", "srun", "squeue", "scancel", "sinfo"].allSatisfy(Tool.isInstalled)

  static func start() async throws -> PrivateSlurm {
    let scratch = try Scratch()
    var names = utsname()
    uname(&names)
    let host = withUnsafePointer(to: &names.nodename) {
      $0.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
    }
    for folder in ["state", "spool", "munge"] { scratch.directory(folder) }
    let key = scratch.write("munge/key", String((0..<64).map { _ in "0123456789abcdef".randomElement() ?? "0" }))
    chmod(key, 0o400)
    let configuration = scratch.write(
      "slurm.conf",
      """
      ClusterName=infrabench
      SlurmctldHost=\(host)(127.0.0.1)
      SlurmctldPort=\(try FreePort.next())
      SlurmdPort=\(try FreePort.next())
      AuthType=auth/munge
      AuthInfo=socket=\(scratch("munge/socket"))
      SlurmUser=root
      StateSaveLocation=\(scratch("state"))
      SlurmdSpoolDir=\(scratch("spool"))
      SlurmctldPidFile=\(scratch("slurmctld.pid"))
      SlurmdPidFile=\(scratch("slurmd.pid"))
      ProctrackType=proctrack/linuxproc
      TaskPlugin=task/none
      MpiDefault=none
      SwitchType=switch/none
      SelectType=select/cons_tres
      SelectTypeParameters=CR_CPU
      SlurmdParameters=config_overrides
      AccountingStorageType=accounting_storage/none
      JobAcctGatherType=jobacct_gather/none
      SchedulerParameters=sched_interval=1,batch_sched_delay=0,defer_batch
      ReturnToService=2
      NodeName=\(host) NodeAddr=127.0.0.1 CPUs=8 State=UNKNOWN
      PartitionName=load Nodes=\(host) Default=YES MaxTime=INFINITE State=UP

      """)
    let environment = ["SLURM_CONF": configuration]
    var daemons: [Tool.Running] = []
    let commands = [
      [
        "/usr/sbin/munged", "--foreground", "--force", "--key-file", key, "--socket", scratch("munge/socket"),
        "--pid-file", scratch("munge/pid"), "--seed-file", scratch("munge/seed"), "--log-file", scratch("munge/log"),
      ],
      ["/usr/sbin/slurmctld", "-D", "-f", configuration], ["/usr/sbin/slurmd", "-D", "-f", configuration],
    ]
    for command in commands {
      daemons.append(try await Tool.start(command, environment: environment, in: scratch.path))
      if daemons.count == 1 {
        try await eventually("munged does not listen") { access(scratch("munge/socket"), F_OK) == 0 }
      }
    }
    let slurm = PrivateSlurm(environment: environment, daemons: daemons, scratch: scratch)
    try await eventually("no idle node: \(slurm.log)") {
      try await slurm.ask(["sinfo", "--noheader", "--format=%T"]).contains("idle")
        || daemons.contains { $0.child.exitStatus != nil }
    }
    return slurm
  }

  /// Runs one of Slurm's programs; what it printed.
  func ask(_ words: [String]) async throws -> String {
    try await Tool.start(words, environment: environment, in: scratch.path).end().standardOutput
  }

  /// What the daemons have said.
  var log: String { daemons.map { String($0.standardErrorSoFar.suffix(2000)) }.joined(separator: "\n--\n") }

  func stop() async {
    for daemon in daemons.reversed() {
      daemon.child.signal(SIGTERM)
      _ = await daemon.end(within: .seconds(10))
    }
  }
}
