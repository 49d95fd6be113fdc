#define _GNU_SOURCE
#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stddef.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/// Written by the child, which shares this memory with the suspended parent until it execs or ends (vfork).
struct failure {
  volatile int error;
  volatile enum cprocess_step step;
};

static void reset_signals(uint64_t ignored) {
  for (int number = 1; number < NSIG; number++) {
    const bool is_ignored = number < 64 && (ignored >> number & 1) != 0;
    struct sigaction action = {.sa_handler = is_ignored ? SIG_IGN : SIG_DFL};
    sigaction(number, &action, NULL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

/// Kernels before 5.9 have no close_range; there the limit bounds the loop.
static void close_from(unsigned first) {
  if (close_range(first, ~0U, 0) == 0) return;
  struct rlimit limit;
  unsigned end = 65536;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < end) end = (unsigned)limit.rlim_cur;
  for (unsigned descriptor = first; descriptor < end; descriptor++) close((int)descriptor);
}

/// First all of them move above 3, so that no dup2 overwrites one that is still needed.
static int install_descriptors(const struct cprocess_request *request) {
  int given[4] = {request->standard_input, request->standard_output, request->standard_error, request->reports};
  const int count = request->reports < 0 ? 3 : 4;
  for (int target = 0; target < count; target++) {
    if (given[target] > 3) continue;
    given[target] = fcntl(given[target], F_DUPFD, 4);
    if (given[target] < 0) return errno;
  }
  for (int target = 0; target < count; target++)
    if (dup2(given[target], target) < 0) return errno;
  close_from((unsigned)count);
  return 0;
}

/// Gives up this process' user for good, also the saved ids, and every way back: no capability can be had again, also not
/// by a program with a set-user-ID bit. The system calls themselves are used: the functions of glibc would change the
/// parent's threads too, whose memory this is.
static int become_user(uint32_t user) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  // The kernel says EINVAL for the first capability that it doesn't know.
  for (unsigned long capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; capability++) {
  }
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return -1;
  if (syscall(SYS_setgroups, 0, NULL) != 0) return -1;
  if (syscall(SYS_setresgid, user, user, user) != 0) return -1;
  return (int)syscall(SYS_setresuid, user, user, user);
}

/// Runs in the child and never returns. A function of its own, so that the parent's frame stays untouched.
static __attribute__((noinline, noreturn)) void become(
  const struct cprocess_request *request, pid_t parent, struct failure *failure) {
  // Before PR_SET_PDEATHSIG, which a change of the user clears.
  failure->step = cprocess_step_user;
  if (request->user != 0 && become_user(request->user) != 0) goto failed;

  failure->step = cprocess_step_fork;
  if (request->dies_with_parent) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) goto failed;
    // The parent may have died before prctl; then nobody would send the signal any more.
    if (getppid() != parent) _exit(127);
  }
  // Another user's program in this terminal's session could type into it (TIOCSTI), so it gets a session without one. Its
  // process group has the same number either way.
  if (request->user != 0 ? setsid() < 0 : setpgid(0, 0) != 0) goto failed;
  reset_signals(request->ignored_signals);

  failure->step = cprocess_step_descriptors;
  if ((errno = install_descriptors(request)) != 0) goto failed;

  if (request->open_files != 0) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
      limit.rlim_cur = request->open_files;
      setrlimit(RLIMIT_NOFILE, &limit);
    }
  }

  failure->step = cprocess_step_working_directory;
  if (request->working_directory != NULL && chdir(request->working_directory) != 0) goto failed;

  failure->step = cprocess_step_execute;
  execvpe(request->executable, request->arguments, request->environment);
failed:
  failure->error = errno != 0 ? errno : EIO;
  _exit(127);
}

static void wait_for(pid_t pid) {
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
  }
}

int cprocess_spawn(const struct cprocess_request *request, struct cprocess_child *child) {
  struct failure failure = {0, cprocess_step_fork};
  const pid_t parent = getpid();

  // No handler of ours may run in the child while it shares our memory.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  const pid_t pid = vfork();
  if (pid == 0) become(request, parent, &failure);
  const int fork_error = pid < 0 ? errno : 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);

  child->failed_step = failure.step;
  if (fork_error != 0) return fork_error;
  if (failure.error != 0) {
    wait_for(pid);
    return failure.error;
  }
  // Unreaped, so the number can't be anybody else's.
  const int pidfd = pidfd_open(pid, 0);
  if (pidfd < 0) {
    const int error = errno;
    child->failed_step = cprocess_step_watch;
    kill(pid, SIGKILL);
    wait_for(pid);
    return error;
  }
  child->pid = pid;
  child->pidfd = pidfd;
  child->spawned_at = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
  return 0;
}

/// The guard's whole life; only async-signal-safe calls, as in every fork of a process with threads.
static __attribute__((noreturn)) void stand_guard(int pipe_end) {
  static pid_t groups[65536];
  size_t count = 0;
  prctl(PR_SET_NAME, "group-guard");
  // Ctrl-C is not for the guard, and no pipe or file stays open because of it.
  setpgid(0, 0);
  if (dup2(pipe_end, 0) < 0 || chdir("/") != 0) _exit(1);
  close_from(1);
  while (1) {
    pid_t told;
    const ssize_t length = read(0, &told, sizeof told);
    if (length < 0 && errno == EINTR) continue;
    if (length != sizeof told) break;
    if (told > 1 && count < sizeof groups / sizeof *groups) groups[count++] = told;
    for (size_t index = 0; told < 0 && index < count; index++)
      if (groups[index] == -told) groups[index] = groups[--count];
  }
  for (size_t index = 0; index < count; index++) kill(-groups[index], SIGKILL);
  _exit(0);
}

int cprocess_guard(int *descriptor) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  // The guard inherits the mask: nothing but SIGKILL ends it before its time.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = _Fork();
  if (pid == 0) stand_guard(ends[0]);
  const int error = pid < 0 ? errno : 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(ends[0]);
  if (error != 0) {
    close(ends[1]);
    return error;
  }
  *descriptor = ends[1];
  return 0;
}

int cprocess_raise_open_files(uint64_t *before, uint64_t *now) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return errno;
  *before = *now = limit.rlim_cur;
  const rlim_t wanted = limit.rlim_max < 1048576 ? limit.rlim_max : 1048576;
  if (wanted <= limit.rlim_cur) return 0;
  limit.rlim_cur = wanted;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return errno;
  *now = wanted;
  return 0;
}

int cprocess_pipe(int *read_end, int *write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  *read_end = ends[0];
  *write_end = ends[1];
  return 0;
}

void cprocess_set_name(const char *name) {
  prctl(PR_SET_NAME, name);
}

int cprocess_signal(int pidfd, int signal) {
  return pidfd_send_signal(pidfd, signal, NULL, 0) == 0 ? 0 : errno;
}

int cprocess_reap(pid_t pid, int *code, bool *was_signaled) {
  int status = 0;
  pid_t result;
  while ((result = waitpid(pid, &status, WNOHANG)) < 0 && errno == EINTR) {
  }
  if (result == 0) return EAGAIN;
  if (result < 0) return errno;
  *was_signaled = WIFSIGNALED(status);
  *code = *was_signaled ? WTERMSIG(status) : WEXITSTATUS(status);
  return 0;
}

int64_t cprocess_clock_error(void) {
  struct timex state = {0};
  if (adjtimex(&state) < 0 || (state.status & STA_UNSYNC)) return -1;
  return state.maxerror;
}
