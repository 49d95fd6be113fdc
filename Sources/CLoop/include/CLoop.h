// What an event loop needs of Linux: epoll(7), eventfd(2) and prctl(2) are in no Swift module of glibc, and struct
// epoll_event is packed, which Swift cannot express.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

/// The address of this thread's own block: one instruction, where pthread_self() is a call.
static inline uintptr_t cloop_thread(void) { return (uintptr_t)__builtin_thread_pointer(); }

/// Each returns a descriptor, or -1 and errno.
int cloop_epoll(void);
int cloop_eventfd(void);

/// Watches a descriptor for readability, room to write and its end, edge-triggered: once and for all. `context` comes
/// back with each event. Returns 0, or -1 and errno.
int cloop_watch(int epoll, int descriptor, void *context);

/// Waits for at most `capacity` events and at most `nanoseconds`; for ever with a negative value. Returns the number of
/// events, or -1 and errno.
int cloop_wait(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds);

static inline void *cloop_context(const struct epoll_event *events, int index) { return events[index].data.ptr; }

/// Whether there is something to read: bytes, the end, or an error.
static inline bool cloop_is_readable(const struct epoll_event *events, int index) {
  return events[index].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR);
}

/// Whether the peer has ended its side, or the connection has failed: a read must go on until it says so.
static inline bool cloop_has_ended(const struct epoll_event *events, int index) {
  return events[index].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
}

static inline bool cloop_is_writable(const struct epoll_event *events, int index) {
  return events[index].events & EPOLLOUT;
}

/// Makes the calling thread's timed waits end without the slack of 50 µs that the kernel adds by default, and names the
/// thread for debuggers.
void cloop_prepare_thread(void);
