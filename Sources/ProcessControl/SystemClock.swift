import CProcess
public import Latency

/// What the kernel knows of this machine's clock.
public enum SystemClock {
  /// How wrong the clock may be at most, as a daemon such as chronyd, ntpd or systemd-timesyncd keeps it in the kernel;
  /// nil where none does.
  public static var errorBound: Nanoseconds? {
    let microseconds = cprocess_clock_error()
    return microseconds < 0 ? nil : .microseconds(microseconds)
  }
}
