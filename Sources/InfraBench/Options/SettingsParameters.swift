import Gateway
import LoadEngine

extension LoadSettings {
  /// What shapes the load, for the result.
  package var parameters: [String: JSONValue] {
    let own: [String: JSONValue] = [
      "count": count.map { .int(Int64($0)) } ?? .null,
      "duration": duration.map { .string(DurationText.write($0)) } ?? .null,
      isOpenLoop ? "maxInFlight" : "concurrency": .int(Int64(users)),
      "warmup": warmupValue,
      "timeout": .string(DurationText.write(timeout)),
      "userId": .string(userIDPrefix),
      "seed": .int(Int64(seed)),
    ]
    return own.merging(arrivals.parameters) { $1 }
  }

  /// Whether lines of single iterations are readable: a closed loop of at most 100.
  package var showsIterations: Bool {
    guard let count, !isOpenLoop else { return false }
    return count <= 100
  }

  private var warmupValue: JSONValue {
    switch warmup {
    case .iterations(let number): .int(Int64(number))
    case .duration(let nanoseconds): .string(DurationText.write(nanoseconds))
    }
  }
}

extension ArrivalSettings {
  /// What shapes the load, for the result: of an open loop's settings only where there is one.
  fileprivate var parameters: [String: JSONValue] {
    var parameters: [String: JSONValue] = ["threads": .int(Int64(threads))]
    if let stages { parameters["stages"] = .string(stages.text) }
    if let timeline { parameters["timeline"] = .string(DurationText.write(timeline)) }
    if isOpenLoop {
      parameters["rate"] = rate.map { .string(RateText.write($0)) } ?? .null
      parameters["arrival"] = isPoisson ? "poisson" : "constant"
      parameters["dropWhenBusy"] = .bool(dropsWhenBusy)
      parameters["precise"] = .bool(isPrecise)
    } else {
      parameters["thinkTime"] = .string(DurationText.write(thinkTime))
    }
    return parameters
  }
}

extension TargetSettings {
  /// What shapes the pool, for the result. Headers are named, their values never.
  package var parameters: [String: JSONValue] {
    var parameters: [String: JSONValue] = ["headers": .array(headers.map { .string($0.name) })]
    if tokens.count > 1 { parameters["tokens"] = .int(Int64(tokens.count)) }
    if tokenCommand != nil { parameters["tokenCommand"] = true }
    if let profile { parameters["gatewayProfile"] = .string(profile.name) }
    // Named only where they were given: a run without them compares with those of before.
    if !keepsCookies { parameters["noCookies"] = .bool(true) }
    if hasCertificate { parameters["clientCertificate"] = .bool(true) }
    switch gateway {
    case .remote:
      parameters["agents"] = .int(Int64(agents))
    case .embedded(let settings):
      parameters["poolSize"] = .int(Int64(settings.poolSize))
      parameters["maxTasks"] = .int(Int64(settings.maxTasks))
      parameters["taskStartDelay"] = .string(DurationText.write(settings.taskStartDelay))
    }
    return parameters
  }
}
