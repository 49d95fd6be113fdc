import CProcess

/// The name of this process, by which `ps`, `top`, `pgrep` and `killall` show and find it (`/proc/PID/comm`).
public enum ProcessName {
  /// Replaces the name of the program's file. The kernel keeps 15 bytes of it.
  ///
  /// Threads that are started later have the same name. So this is called on the main thread, before anything else.
  public static func set(_ name: String) { cprocess_set_name(name) }
}
