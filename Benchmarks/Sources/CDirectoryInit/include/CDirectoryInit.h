// A user's directory made by plain system calls: what the suite's own way is measured against.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Makes `name` (0700) in the open directory `root`, with `.optima` and `.claude` (0700) and `.optima/token.json` (0600), which is
/// written under another name and renamed: the system calls of UserWorkspace's DirectoryWriter without fsync, in its order.
/// `nanoseconds` gets the time from the first call to the rename, read where DirectoryWriter reads it.
/// Returns 0, or the errno of the call that failed.
int cdirectory_create(int root, const char *name, const void *token, size_t length, uint64_t *nanoseconds);

/// Opens the directory `path` for `cdirectory_create`; -1 with errno set if that can't be done.
int cdirectory_open(const char *path);

/// Removes what `cdirectory_create`, or UserWorkspace, made under `name`; 0, or the errno of the directory's own removal.
int cdirectory_remove(int root, const char *name);
