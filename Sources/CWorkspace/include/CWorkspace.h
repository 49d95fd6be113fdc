// What Swift cannot reach in Linux's headers: macros behind _GNU_SOURCE, and `syscall`, which is variadic.
#pragma once
#include <sys/types.h>

// open(2): a descriptor that only names a directory; entering needs no read permission, as with chdir.
extern const int workspace_o_path;

// Gives the calling thread alone, not the process, this user and group id and no supplementary groups.
// The C library's setresuid would change every thread; the kernel keeps credentials per thread (credentials(7)).
// Irreversible for the thread. Returns 0, or the errno of the first call that failed.
int workspace_become(uid_t user, gid_t group);

// statfs(2): the magic number of the file system that an open file is on; 0 if it can't be told.
unsigned int workspace_file_system_magic(int file);

// makedev(3): the two parts of a device number.
unsigned int workspace_device_major(dev_t device);
unsigned int workspace_device_minor(dev_t device);
