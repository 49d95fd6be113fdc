import AWS
import NIOCore
import NIOHTTP1

/// `POST /` with the ECS-compatible endpoint's requests.
extension RESTHandler {
  func answerECS(_ head: HTTPRequestHead, _ body: ByteBuffer) {
    let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let request = SignableRequest(
      method: head.method.rawValue, path: String(parts[0]), query: parts.count > 1 ? String(parts[1]) : "",
      headers: head.headers.map { (name: $0.name, value: $0.value) }, body: Array(body.readableBytesView))
    guard ECSEndpoint.claims(request) else {
      return answerError(.notFound, "POST / is the ECS endpoint: it needs X-Amz-Target and a signature")
    }
    let number = exchangeNumber
    let bound = NIOLoopBound(self, eventLoop: core.loop)
    Task { [ecs, loop = core.loop] in
      let response = await ecs.respond(to: request)
      loop.execute {
        let handler = bound.value
        guard handler.isWaiting, handler.exchangeNumber == number else { return }
        handler.answer(response)
      }
    }
  }

  private func answer(_ response: ECSEndpoint.Response) {
    let type = response.headers.first { $0.name.lowercased() == "content-type" }?.value
    let others = response.headers.filter { $0.name.lowercased() != "content-type" }.map { ($0.name, $0.value) }
    answer(
      HTTPResponseStatus(statusCode: response.status), ByteBuffer(bytes: response.body), headers: others,
      type: type ?? "application/x-amz-json-1.1")
  }
}
