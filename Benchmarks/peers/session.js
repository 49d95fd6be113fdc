// k6 over WebSocket: what bench-e2e does. Each user opens a session, waits until it is ready, says something, hears the answer.
import { check } from "k6";
import { Trend } from "k6/metrics";
import ws from "k6/ws";

const roundTrip = new Trend("message_roundtrip");

export const options = {
  summaryTrendStats: ["med", "p(99)"],
  scenarios: { sessions: { executor: "per-vu-iterations", vus: Number(__ENV.USERS), iterations: 1, maxDuration: "2m" } },
};

export default function () {
  let isReady = false;
  let heard = 0;
  let sentAt = 0;
  const wanted = Number(__ENV.MESSAGES || 1);
  const say = (socket) => {
    sentAt = Date.now();
    socket.send("ping");
  };
  const url = `${__ENV.GATEWAY_URL.replace("http", "ws")}/session/benchmark-user-${__VU}`;
  const response = ws.connect(url, null, (socket) => {
    socket.on("message", (text) => {
      if (!isReady) {
        isReady = JSON.parse(text).type === "session_ready";
        if (isReady) say(socket);
      } else {
        heard += 1;
        if (heard > 1) roundTrip.add(Date.now() - sentAt);
        if (heard < wanted) say(socket);
        else socket.close();
      }
    });
    socket.setTimeout(() => socket.close(), 60000);
  });
  check(response, { "session answered": () => heard === wanted });
}
