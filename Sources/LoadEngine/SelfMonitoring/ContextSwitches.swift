import Glibc

/// How often threads of this process were preempted: they lost their CPU while they still had work (getrusage(2)).
enum ContextSwitches {
  /// Since the process began, over all its threads.
  static var involuntary: UInt64 {
    var usage = rusage()
    guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
    return UInt64(clamping: usage.ru_nivcsw)
  }
}
