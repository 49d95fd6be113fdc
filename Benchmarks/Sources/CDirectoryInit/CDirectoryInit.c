#define _GNU_SOURCE
#include "CDirectoryInit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const int entering = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int write_token(int product, const void *token, size_t length) {
  int file = openat(product, ".token.json.new", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return errno;
  if (write(file, token, length) != (ssize_t)length) {
    int error = errno;
    close(file);
    return error;
  }
  if (close(file) != 0) return errno;
  return renameat(product, ".token.json.new", product, "token.json") == 0 ? 0 : errno;
}

static int fill(int directory, const void *token, size_t length, uint64_t *end) {
  if (mkdirat(directory, ".optima", 0700) != 0 || mkdirat(directory, ".claude", 0700) != 0) return errno;
  int product = openat(directory, ".optima", entering);
  if (product < 0) return errno;
  int error = write_token(product, token, length);
  *end = now();
  close(product);
  return error;
}

int cdirectory_create(int root, const char *name, const void *token, size_t length, uint64_t *nanoseconds) {
  uint64_t start = now();
  uint64_t end = start;
  if (mkdirat(root, name, 0700) != 0) return errno;
  int directory = openat(root, name, entering);
  if (directory < 0) return errno;
  int error = fill(directory, token, length, &end);
  close(directory);
  *nanoseconds = end - start;
  return error;
}

int cdirectory_open(const char *path) { return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC); }

int cdirectory_remove(int root, const char *name) {
  int directory = openat(root, name, entering);
  if (directory < 0) return errno;
  unlinkat(directory, ".optima/token.json", 0);
  unlinkat(directory, ".optima", AT_REMOVEDIR);
  unlinkat(directory, ".claude", AT_REMOVEDIR);
  close(directory);
  return unlinkat(root, name, AT_REMOVEDIR) == 0 ? 0 : errno;
}
