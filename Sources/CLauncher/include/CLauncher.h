#pragma once

/// Turns this process into the tool `tool`: executes the program `infrabench` that is in this program's own directory,
/// with `tool` as its name and the arguments, the environment, the descriptors and the signals as they are.
///
/// Returns only where that program can't be executed: the exit status, after an error on standard error.
int launcher_become(const char *tool, char **arguments);
