#include "CLauncher.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char program[] = "infrabench";

// A failed run. 127, a shell's number for a missing program, is none of the tools' statuses.
static const int failed = 1;

int launcher_become(const char *tool, char **arguments) {
  // The path of this file, not the one that it was called by: a symbolic link to it may lie anywhere.
  char path[PATH_MAX + sizeof program];
  const ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);
  if (length <= 0 || length == PATH_MAX) {
    fprintf(stderr, "error: %s cannot find its own directory by /proc/self/exe: %s\n", tool,
      length < 0 ? strerror(errno) : "the path is too long");
    return failed;
  }
  path[length] = 0;
  char *name = strrchr(path, '/') + 1;
  strcpy(name, program);

  // Without arguments there isn't even a name to replace; Linux before 5.18 starts programs so.
  char *alone[] = {(char *)tool, NULL};
  if (arguments[0] == NULL) arguments = alone;
  arguments[0] = (char *)tool;
  execv(path, arguments);

  const int error = errno;
  name[-1] = 0;
  fprintf(stderr, "error: %s is a part of the program '%s', which cannot be started in %s, where %s is: %s. ", tool, program,
    path, tool, strerror(error));
  fprintf(stderr, "Install both into one directory, or link to %s instead of copying it.\n", tool);
  return failed;
}
