import Latency

/// The timers of one ``EpollLoop``, the next one first: a binary heap in which each timer knows its place, so that it
/// can be moved and removed in logarithmic time.
struct TimerHeap {
  private var timers: [EpollTimer] = []

  /// When the next timer fires; nil without one.
  var next: Instant? { timers.first?.instant }

  /// Makes `timer` fire at `instant`, instead of whenever it was set to fire.
  mutating func put(_ timer: EpollTimer, for instant: Instant) {
    timer.instant = instant
    if timer.place < 0 {
      timer.place = timers.count
      timers.append(timer)
    }
    settle(timer.place)
  }

  /// Removes `timer` if it is set.
  mutating func remove(_ timer: EpollTimer) {
    let place = timer.place
    guard place >= 0 else { return }
    timer.place = -1
    let last = timers.removeLast()
    guard last !== timer else { return }
    timers[place] = last
    last.place = place
    settle(place)
  }

  /// Takes the next timer if it fires at `now` or earlier.
  mutating func takeDue(at now: Instant) -> EpollTimer? {
    guard let first = timers.first, first.instant <= now else { return nil }
    remove(first)
    return first
  }

  /// Moves the timer at `place` up or down to where it belongs.
  private mutating func settle(_ place: Int) {
    var place = place
    let timer = timers[place]
    while place > 0, timer.instant < timers[(place - 1) / 2].instant {
      move(from: (place - 1) / 2, to: place)
      place = (place - 1) / 2
    }
    while let child = earlierChild(of: place), timers[child].instant < timer.instant {
      move(from: child, to: place)
      place = child
    }
    timers[place] = timer
    timer.place = place
  }

  private mutating func move(from: Int, to: Int) {
    timers[to] = timers[from]
    timers[to].place = to
  }

  private func earlierChild(of place: Int) -> Int? {
    let (left, right) = (2 * place + 1, 2 * place + 2)
    guard left < timers.count else { return nil }
    return right < timers.count && timers[right].instant < timers[left].instant ? right : left
  }
}

/// A timer of an ``EpollLoop``.
final class EpollTimer: LoopTimer {
  /// When it fires, while it is set.
  fileprivate(set) var instant = Instant.distantFuture
  /// Its place in the heap; negative while it is not set.
  fileprivate(set) var place = -1
  let work: () -> Void
  private unowned let loop: EpollLoop

  init(_ loop: EpollLoop, _ work: @escaping () -> Void) {
    self.loop = loop
    self.work = work
  }

  override var firesAt: Instant? { place < 0 ? nil : instant }

  override func set(for instant: Instant) { loop.put(self, for: instant) }

  override func cancel() { loop.remove(self) }
}
