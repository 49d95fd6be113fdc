#define _GNU_SOURCE
#include "CLoop.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>

int cloop_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }

int cloop_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int cloop_watch(int epoll, int descriptor, void *context) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = context};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

int cloop_wait(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds) {
  static _Atomic bool is_missing;
  // A wait without a time limit needs no finer call.
  if (nanoseconds <= 0) return epoll_wait(epoll, events, capacity, nanoseconds < 0 ? -1 : 0);
  struct timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  if (!is_missing) {
    int count = epoll_pwait2(epoll, events, capacity, &limit, NULL);
    // Linux before 5.11 does not have the call, and some containers refuse what they do not know.
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    is_missing = true;
  }
  struct pollfd one = {.fd = epoll, .events = POLLIN};
  int count = ppoll(&one, 1, &limit, NULL);
  return count <= 0 ? count : epoll_wait(epoll, events, capacity, 0);
}

void cloop_prepare_thread(void) {
  prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul);
  prctl(PR_SET_NAME, "loop");
}
