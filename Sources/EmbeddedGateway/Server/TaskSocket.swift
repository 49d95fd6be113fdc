import FoundationEssentials
import Gateway
import NIOCore
import NIOWebSocket

/// A task's WebSocket, `/internal/warm/{taskId}`.
final class TaskSocket: TextSocketOwner {
  private let core: GatewayCore
  private let taskID: TaskID
  private weak var socket: TextSocket?

  init(core: GatewayCore, taskID: TaskID) {
    self.core = core
    self.taskID = taskID
  }

  var isWritable: Bool { socket?.isWritable ?? false }

  func send(_ message: JSONObject) { socket?.send(message) }

  func close() { socket?.close() }

  func setReading(_ isReading: Bool) { socket?.setReading(isReading) }

  func socketOpened(_ socket: TextSocket) {
    self.socket = socket
    if !core.socketOpened(taskID, self) { socket.close(.policyViolation) }
  }

  func socketReceived(_ message: ByteBuffer) {
    // A task that talks nonsense is not one to give users to.
    guard let decoded = try? JSONDecoder().decode(TaskToGateway.self, from: Data(message.readableBytesView)) else {
      socket?.close(.policyViolation)
      return
    }
    core.received(decoded, from: taskID)
  }

  func socketWritabilityChanged(isWritable: Bool) {
    core.records[taskID]?.session?.taskWritabilityChanged(isWritable: isWritable)
  }

  func socketClosed() { core.socketClosed(taskID, self) }
}
