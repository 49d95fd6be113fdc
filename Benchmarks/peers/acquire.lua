-- wrk and wrk2: one acquire again and again, the same 68 bytes each time; answers are counted, not read.
wrk.method = "POST"
wrk.body = '{"userId":"benchmark-user-0001","sessionId":"benchmark-session-001"}'
wrk.headers["Content-Type"] = "application/json"
