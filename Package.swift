// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "infrabench",
  products: [
    .library(name: "Latency", targets: ["Latency"])
  ],
  dependencies: [
    // Exact versions, also of what these packages use themselves: two builds of one commit are built of the same sources.
    // docs/packaging.md says why Package.resolved does not do this.
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    // Used by SwiftNIO.
    .package(url: "https://github.com/apple/swift-atomics", exact: "1.3.0"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    // The oracle of the histogram tests, and beside our own in a benchmark; no tool depends on it.
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
    .package(url: "https://github.com/apple/swift-numerics", exact: "1.1.1"),
  ],
  targets: [
    // C: system libraries and system calls that Swift cannot reach itself.
    .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),
    // No -lcurl: it is loaded at the first use.
    .target(name: "CLibcurl"),
    .target(name: "CLauncher"),
    .target(name: "CLoop"),
    .target(name: "CProcess"),
    .target(name: "CWorkspace"),

    // Foundations.
    .target(name: "TextFormatting"),
    .target(name: "Latency", dependencies: ["CZlib"]),
    .target(name: "Statistics"),
    .target(name: "UserWorkspace", dependencies: ["CWorkspace", "Latency"]),
    .target(
      name: "ProcessControl",
      dependencies: [
        "CProcess", "Latency", .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]),
    .target(
      name: "Transport",
      dependencies: [
        "CLoop", "Latency", "ProcessControl", "TextFormatting",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOTLS", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        // Not imported here, but by SwiftNIO: SwiftPM warns of a package that no target names.
        .product(name: "Atomics", package: "swift-atomics"),
        .product(name: "DequeModule", package: "swift-collections"),
      ]),

    // Load, gateway client, AWS.
    .target(
      name: "LoadEngine",
      dependencies: ["Latency", "Statistics", "Transport", .product(name: "NIOCore", package: "swift-nio")]),
    .target(
      name: "Gateway",
      dependencies: ["Latency", "TextFormatting", "Transport", .product(name: "NIOCore", package: "swift-nio")]),
    .target(
      name: "AWS",
      dependencies: [
        "CLibcurl", "Latency", "ProcessControl", "TextFormatting", .product(name: "Crypto", package: "swift-crypto"),
      ]),

    // The pool's other side: the agent in a task, and the gateway itself.
    .target(
      name: "WarmTask",
      dependencies: [
        "Gateway", "Latency", "ProcessControl", "Transport", "UserWorkspace",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    // The plans of injected faults: the gateway plays them, and the tools check them before they start it.
    .target(name: "Faults", dependencies: ["Gateway", "Latency"]),
    .target(
      name: "EmbeddedGateway",
      dependencies: [
        "AWS", "Faults", "Gateway", "Latency", "ProcessControl", "Statistics", "Transport", "WarmTask",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
        .product(name: "Crypto", package: "swift-crypto"),
      ]),

    // Results and what is made of them. No report imports a benchmark, and no benchmark a report.
    .target(name: "Results", dependencies: ["Latency", "Statistics", "TextFormatting"]),
    .target(name: "Reports", dependencies: ["Latency", "Results", "Statistics", "TextFormatting"]),
    .target(name: "Comparison", dependencies: ["Latency", "Reports", "Results", "Statistics", "TextFormatting"]),

    // What a pool would do: simulation and closed formulas, without a network; and their reports.
    .target(name: "Planning", dependencies: ["Latency", "Results", "Statistics", "TextFormatting"]),
    .target(name: "PlanReports", dependencies: ["Latency", "Planning", "Reports", "Results", "TextFormatting"]),

    // The suite.
    .target(
      name: "InfraBench",
      dependencies: [
        "AWS", "Comparison", "Faults", "Gateway", "Latency", "LoadEngine", "PlanReports", "Planning",
        "ProcessControl", "Reports", "Results", "Statistics", "TextFormatting", "Transport", "UserWorkspace",
        "WarmTask",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      resources: [
        .embedInCode("GatewayProfiles/embedded.json"), .embedInCode("GatewayProfiles/lab.json"),
        .embedInCode("GatewayProfiles/product.json"),
      ]),

    .target(
      name: "MockGateway",
      dependencies: [
        "AWS", "EmbeddedGateway", "Faults", "Gateway", "Latency", "ProcessControl", "UserWorkspace", "WarmTask",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    .target(
      name: "WarmTaskProgram",
      dependencies: [
        "Gateway", "Latency", "ProcessControl", "TextFormatting", "Transport", "WarmTask",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ]),

    // Programs. Only `infrabench` links the suite; each `bench-*` is a launcher in C that becomes it.
    .executableTarget(name: "infrabench", dependencies: ["InfraBench"]),
    .executableTarget(name: "bench-allocation", dependencies: ["CLauncher"]),
    .executableTarget(name: "bench-api", dependencies: ["CLauncher"]),
    .executableTarget(name: "bench-compare", dependencies: ["CLauncher"]),
    .executableTarget(name: "bench-concurrent", dependencies: ["CLauncher"]),
    .executableTarget(name: "bench-dirinit", dependencies: ["CLauncher"]),
    .executableTarget(name: "bench-e2e", dependencies: ["CLauncher"]),
    .executableTarget(name: "bench-exhaustion", dependencies: ["CLauncher"]),
    .executableTarget(name: "bench-fleet", dependencies: ["CLauncher"]),
    .executableTarget(name: "bench-plan", dependencies: ["CLauncher"]),
    .executableTarget(name: "bench-report", dependencies: ["CLauncher"]),
    .executableTarget(name: "bench-suite", dependencies: ["CLauncher"]),
    .executableTarget(name: "bench-verify", dependencies: ["CLauncher"]),
    .executableTarget(
      name: "mock-gateway",
      dependencies: [
        "MockGateway", "WarmTaskProgram", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(
      name: "warm-task",
      dependencies: ["WarmTaskProgram", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
    .executableTarget(name: "session-stand-in"),

    // What the suite's own accuracy is tested with.
    .target(
      name: "KnownDelayServer",
      dependencies: [
        "Latency", "ProcessControl",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]),
    .executableTarget(
      name: "known-delay-server",
      dependencies: ["KnownDelayServer", .product(name: "ArgumentParser", package: "swift-argument-parser")]),

    // Benchmarks of our own parts; Benchmarks/run.sh runs them.
    .target(name: "CDirectoryInit", path: "Benchmarks/Sources/CDirectoryInit"),
    .executableTarget(
      name: "benchmark-directory-init", dependencies: ["CDirectoryInit", "Latency", "UserWorkspace"],
      path: "Benchmarks/Sources/benchmark-directory-init"),
    .executableTarget(
      name: "benchmark-histogram",
      dependencies: [
        "Latency", .product(name: "Histogram", package: "hdrhistogram-swift"),
        // Not imported here, but by Histogram.
        .product(name: "RealModule", package: "swift-numerics"),
      ],
      path: "Benchmarks/Sources/benchmark-histogram"),
    .executableTarget(
      name: "benchmark-timer", dependencies: ["Latency", "Transport"], path: "Benchmarks/Sources/benchmark-timer"),
    .executableTarget(
      name: "benchmark-shard-merge", dependencies: ["Latency", "Results"],
      path: "Benchmarks/Sources/benchmark-shard-merge"),
    .target(name: "RunSimulation", dependencies: ["Latency", "Statistics"], path: "Benchmarks/Sources/RunSimulation"),
    .executableTarget(
      name: "benchmark-comparison",
      dependencies: ["RunSimulation", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      path: "Benchmarks/Sources/benchmark-comparison"),

    // What several test targets share.
    .target(
      name: "TestSupport",
      dependencies: [
        "Latency",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ],
      path: "Tests/TestSupport"),
    .target(
      name: "AWSTestSupport",
      dependencies: [
        "TestSupport",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      path: "Tests/AWSTestSupport",
      resources: [.copy("Fixtures")]),

    // Tests. Those of Results, Reports and Comparison are among InfraBenchTests, whose tools their documents are of.
    .testTarget(name: "TextFormattingTests", dependencies: ["TextFormatting"]),
    .testTarget(
      name: "LatencyTests",
      dependencies: [
        "CZlib", "Latency", "TestSupport", .product(name: "Histogram", package: "hdrhistogram-swift"),
      ],
      exclude: ["Fixtures"]),
    .testTarget(name: "UserWorkspaceTests", dependencies: ["Latency", "UserWorkspace"]),
    .testTarget(name: "ProcessControlTests", dependencies: ["Latency", "ProcessControl"]),
    .testTarget(
      name: "WebSocketTests",
      dependencies: [
        "Latency", "ProcessControl", "TestSupport", "Transport",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    .testTarget(
      name: "WarmTaskTests",
      dependencies: [
        "Gateway", "Latency", "ProcessControl", "TestSupport", "Transport", "WarmTask", "session-stand-in",
        "warm-task",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
      ]),
    .testTarget(
      name: "AWSTests",
      dependencies: ["AWS", "AWSTestSupport", "Latency", "TestSupport"],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "EmbeddedGatewayECSTests",
      dependencies: ["AWS", "AWSTestSupport", "EmbeddedGateway", "TestSupport"],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "TransportTests",
      dependencies: [
        "Latency", "TestSupport", "Transport",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ]),
    .testTarget(
      name: "LoadEngineTests",
      dependencies: [
        "Latency", "LoadEngine", "TestSupport", "Transport", .product(name: "NIOCore", package: "swift-nio"),
      ]),
    .testTarget(
      name: "GatewayTests",
      dependencies: ["Gateway", "Latency", "ProcessControl", "TestSupport", "TextFormatting", "Transport"]),
    .testTarget(
      name: "InfraBenchTests",
      dependencies: [
        "AWS", "AWSTestSupport", "Comparison", "Gateway", "InfraBench", "Latency", "LoadEngine", "PlanReports",
        "Planning", "ProcessControl", "Reports", "Results", "Statistics", "TestSupport", "TextFormatting", "Transport",
        "WarmTask",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      exclude: ["Golden"]),
    .testTarget(
      name: "EmbeddedGatewayTests",
      dependencies: [
        "AWS", "EmbeddedGateway", "Faults", "Gateway", "Latency", "MockGateway", "ProcessControl", "Transport",
        "TestSupport", "WarmTask", "mock-gateway", "session-stand-in", "warm-task",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "AWS", "AWSTestSupport", "Comparison", "Gateway", "InfraBench", "Latency", "ProcessControl", "Reports",
        "Results", "TestSupport", "TextFormatting", "Transport",
        "infrabench", "bench-allocation", "bench-api", "bench-compare", "bench-concurrent", "bench-dirinit",
        "bench-e2e", "bench-exhaustion", "bench-fleet", "bench-plan", "bench-report", "bench-suite", "bench-verify",
        "known-delay-server", "mock-gateway", "session-stand-in", "warm-task",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
      ],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "KnownDelayServerTests",
      dependencies: [
        "KnownDelayServer", "Latency", "ProcessControl", "TestSupport", "known-delay-server",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    .testTarget(name: "PackageTests"),
    .testTarget(
      name: "PlanningTests", dependencies: ["Latency", "Planning", "Results", "Statistics", "TestSupport"],
      exclude: ["pool_in_simpy.py"]),
    .testTarget(
      name: "StatisticsTests", dependencies: ["Latency", "RunSimulation", "Statistics", "TestSupport"],
      exclude: ["Fixtures"]),
  ]
)

for target in package.targets where target.type != .plugin {
  var settings = target.swiftSettings ?? []
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0335-existential-any.md
  settings.append(.enableUpcomingFeature("ExistentialAny"))
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0444-member-import-visibility.md
  settings.append(.enableUpcomingFeature("MemberImportVisibility"))
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0409-access-level-on-imports.md
  settings.append(.enableUpcomingFeature("InternalImportsByDefault"))
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0461-async-function-isolation.md: an awaited function
  // stays where its caller is, which spares the load engine a look for the executor at every call.
  settings.append(.enableUpcomingFeature("NonisolatedNonsendingByDefault"))
  target.swiftSettings = settings
  // A launcher without Swift's startup routines holds nothing of Swift's libraries where these are linked statically.
  if target.name.hasPrefix("bench-") { target.linkerSettings = [.unsafeFlags(["-nostartfiles"])] }
}
