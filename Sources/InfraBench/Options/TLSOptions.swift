import Transport

extension OptionReader {
  /// One for all `endpoints`: those that were written and are right.
  mutating func tls(_ options: TargetOptions, for endpoints: [Endpoint]) -> TLSClient? {
    let written = [
      value("--gateway-url", options.gatewayURL, environment: ["GATEWAY_URL"])?.text, options.abGatewayURL,
    ].compactMap { $0 }
    let isSecure = endpoints.contains(where: \.isSecure)
    let given = [
      ("--insecure", options.insecure), ("--ca-file", options.caFile != nil), ("--cert", options.cert != nil),
      ("--key", options.key != nil),
    ]
    // Of a URL that is wrong nobody knows what it was to be.
    if !isSecure, endpoints.count == written.count, let (name, _) = given.first(where: \.1) {
      problems.add(name, "there is no gateway URL with https or wss")
    }
    let certificate = clientCertificate(options)
    guard options.caFile != nil || isSecure else { return nil }
    if let reason = options.caFile.flatMap(PathText.likeAnOption) {
      problems.add("--ca-file", reason)
      return nil
    }
    do throws(TransportError) {
      return try TLSClient(caFile: options.caFile, insecure: options.insecure, certificate: certificate)
    } catch {
      problems.add("--ca-file", error.message)
      return nil
    }
  }

  /// The certificate to be shown, with its key; nil without any, and where something is wrong with it.
  private mutating func clientCertificate(_ options: TargetOptions) -> ClientCertificate? {
    let files = [("--cert", options.cert), ("--key", options.key)]
    let dashed = files.compactMap { name, path in path.flatMap(PathText.likeAnOption).map { (name, $0) } }
    for (name, reason) in dashed { problems.add(name, reason) }
    switch (options.cert, options.key) {
    case (nil, nil): return nil
    case (_?, nil):
      problems.add("--cert", "its private key is missing: give it with --key (one file may hold both)")
      return nil
    case (nil, _?):
      problems.add("--key", "the certificate that it belongs to is missing: give it with --cert")
      return nil
    case (let certificate?, let key?):
      guard dashed.isEmpty else { return nil }
      do throws(ClientCertificate.Problems) {
        return try ClientCertificate(certificateFile: certificate, keyFile: key)
      } catch {
        for problem in error.all { problems.add(problem.option, problem.reason) }
        return nil
      }
    }
  }
}
