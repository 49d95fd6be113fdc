// Starting a child process between vfork and exec, where only async-signal-safe C may run. mallopt(3) and malloc_trim(3)
// are in no Swift module of glibc, hence its header.
#pragma once
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/types.h>

/// What to start. All strings and vectors are borrowed for the duration of the call.
struct cprocess_request {
  /// A path, or a name looked up in this process' PATH.
  const char *executable;
  /// Null-terminated.
  char *const *arguments;
  /// Null-terminated.
  char *const *environment;
  /// Null: inherited.
  const char *working_directory;
  /// Descriptors that become 0, 1 and 2; every other one but `reports` is closed in the child.
  int standard_input, standard_output, standard_error;
  /// The descriptor that becomes 3; -1: none does.
  int reports;
  /// PR_SET_PDEATHSIG(SIGKILL): the child dies with the *thread* that calls cprocess_spawn.
  bool dies_with_parent;
  /// The user and the group that the child becomes, without supplementary groups; 0: this process' own.
  uint32_t user;
  /// The child's soft RLIMIT_NOFILE; 0: this process' own.
  uint64_t open_files;
  /// The signals that the child ignores: the bit 1 << n is that of signal n.
  uint64_t ignored_signals;
};

/// The step at which a start failed.
enum cprocess_step {
  cprocess_step_fork = 0,
  cprocess_step_descriptors = 1,
  cprocess_step_working_directory = 2,
  cprocess_step_execute = 3,
  cprocess_step_watch = 4,
  cprocess_step_user = 5,
};

struct cprocess_child {
  pid_t pid;
  /// A pidfd (close-on-exec) that becomes readable when the child ends; the caller closes it.
  int pidfd;
  /// CLOCK_MONOTONIC in nanoseconds, read right before vfork.
  uint64_t spawned_at;
  /// Where it failed, when cprocess_spawn returns an error.
  enum cprocess_step failed_step;
};

/// Starts a child in a process group of its own, with every signal but `ignored_signals` at its default and
/// none blocked.
/// Returns 0, or an errno; then no child is left and no descriptor is open.
int cprocess_spawn(const struct cprocess_request *request, struct cprocess_child *child);

/// A pipe whose ends are close-on-exec. Returns 0 or an errno.
int cprocess_pipe(int *read_end, int *write_end);

/// Starts the guard: a process that does nothing but wait until this one is gone, however it went, and then kills the
/// process groups it was told of. Groups are told by writing pid_t's to `descriptor` (close-on-exec): a number adds
/// that group, its negative removes it. Returns 0 or an errno.
int cprocess_guard(int *descriptor);

/// Raises this process' soft RLIMIT_NOFILE to the hard one, or to 1,048,576 where that is more. Returns 0 or an errno.
int cprocess_raise_open_files(uint64_t *before, uint64_t *now);

/// Gives the calling thread a name, of which the kernel keeps 15 bytes; the main thread's is the process's.
void cprocess_set_name(const char *name);

/// Sends a signal through a pidfd. Returns 0 or an errno.
int cprocess_signal(int pidfd, int signal);

/// Reaps an ended child. Returns 0, ECHILD if somebody else has reaped it, or EAGAIN while it runs.
/// `code` is the exit code, or the signal's number if `was_signaled`.
int cprocess_reap(pid_t pid, int *code, bool *was_signaled);

/// How wrong the real-time clock may be at most, in microseconds, as its daemon keeps it in the kernel; -1: none does.
int64_t cprocess_clock_error(void);
