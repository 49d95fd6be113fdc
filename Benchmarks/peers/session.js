// k6 over WebSocket: what bench-e2e does. Each user opens a session, waits until it is ready, says something, hears the answer.
import { check } from "k6";
import ws from "k6/ws";

export const options = {
  scenarios: { sessions: { executor: "per-vu-iterations", vus: Number(__ENV.USERS), iterations: 1, maxDuration: "2m" } },
};

export default function () {
  let isReady = false;
  let heard = false;
  const url = `${__ENV.GATEWAY_URL.replace("http", "ws")}/session/benchmark-user-${__VU}`;
  const response = ws.connect(url, null, (socket) => {
    socket.on("message", (text) => {
      if (!isReady) {
        isReady = JSON.parse(text).type === "session_ready";
        socket.send("ping");
      } else {
        heard = true;
        socket.close();
      }
    });
    socket.setTimeout(() => socket.close(), 60000);
  });
  check(response, { "session answered": () => heard });
}
