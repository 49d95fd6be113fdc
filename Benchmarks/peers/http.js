// k6 over HTTP. JOB=plain: one acquire, its answer unread, as wrk and hey do. JOB=release: what bench-concurrent does: a user id of
// its own, acquire, read and check the answer, release.
import http from "k6/http";
import { check } from "k6";

const gateway = __ENV.GATEWAY_URL;
const parameters = { headers: { "Content-Type": "application/json" } };

export const options = {
  discardResponseBodies: __ENV.JOB === "plain",
  summaryTrendStats: ["med", "p(95)", "p(99)", "p(99.9)", "max"],
};
if (__ENV.RATE) {
  options.scenarios = {
    open: {
      executor: "constant-arrival-rate",
      rate: Number(__ENV.RATE),
      timeUnit: "1s",
      duration: __ENV.DURATION,
      preAllocatedVUs: Number(__ENV.USERS),
      maxVUs: Number(__ENV.USERS),
    },
  };
} else {
  options.vus = Number(__ENV.USERS);
  options.duration = __ENV.DURATION;
}

export default function () {
  const user = `benchmark-user-${__VU}`;
  const body = JSON.stringify({ userId: user, sessionId: "benchmark-session-001" });
  const answer = http.post(`${gateway}/api/acquire`, body, parameters);
  if (__ENV.JOB === "plain") return;
  const assignment = answer.json();
  check(assignment, { assigned: (a) => a.success === true && a.taskId !== "" });
  http.post(`${gateway}/api/release`, JSON.stringify({ taskId: assignment.taskId }), parameters);
}
