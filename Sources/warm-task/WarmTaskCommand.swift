import ArgumentParser
import FoundationEssentials
import Glibc
import NIOPosix
import ProcessControl
import WarmTask

@main
struct WarmTaskCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "warm-task",
    abstract: "Keeps warm tasks at a session gateway, and serves the users they are given to.",
    discussion: """
      EXAMPLES
        Five tasks at a local gateway, each user served by session-stand-in:
          warm-task --gateway-url ws://localhost:5174 --count 5 --workspace-root /mnt/efs
        The same with a program of your own, ready with its first line of output:
          warm-task --gateway-url ws://localhost:5174 --command 'optima headless'
        In a container that is one task: GATEWAY_WS_URL, EFS_MOUNT_PATH and ENVIRONMENT say the rest:
          warm-task --once

      EXIT STATUS
        0 the tasks lived their lives · 1 a single life failed · 64 wrong usage · 129/130/131/143 interrupted
      """,
    version: "0.2.0")

  @OptionGroup var options: WarmTaskOptions

  mutating func run() async throws {
    FileDescriptorLimit.raise()
    let plan = try options.plan(
      environment: ProcessInfo.processInfo.environment, executable: CommandLine.arguments.first ?? "warm-task")
    let ending = await WarmTaskRun(plan: plan, loop: MultiThreadedEventLoopGroup.singleton.next()).untilTheEnd()
    if ending.exitCode != 0 { throw ExitCode(ending.exitCode) }
  }
}
