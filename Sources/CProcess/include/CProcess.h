// Starting a child process between fork and exec, where only async-signal-safe C may run.
#pragma once
