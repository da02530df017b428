//! How long a writer waits for more before it writes what it has.
//!
//! A batch waits for others as long as it may linger, so that inserts are few and large. At the tip rows come in bursts with rests
//! between them: whoever has not inserted for a while writes a burst as soon as nothing more comes of it.

use std::time::Duration;

use tokio::time::Instant;

/// Behind its last insert for so long a writer is idle: two inserts a second and table are few.
const IDLE: Duration = Duration::from_millis(500);

/// What belongs to a burst comes within this time of what was before it.
const BURST: Duration = Duration::from_millis(30);

/// How long to wait for more, where a batch may linger `until` then and the last insert began at a moment.
pub(crate) fn wait(now: Instant, until: Instant, inserted: Option<Instant>) -> Duration {
    let left = until.saturating_duration_since(now);
    let is_idle = inserted.is_none_or(|at| now.saturating_duration_since(at) >= IDLE);
    if is_idle { left.min(BURST) } else { left }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_writer_waits_for_the_end_of_a_burst_and_a_busy_one_as_long_as_it_may() {
        let (now, ms) = (Instant::now(), Duration::from_millis);
        let wait = |until: u64, before: Option<u64>| wait(now, now + ms(until), before.map(|before| now - ms(before)));
        assert_eq!([wait(250, None), wait(250, Some(500)), wait(10, None)], [BURST, BURST, ms(10)]);
        assert_eq!([wait(250, Some(499)), wait(0, Some(1)), wait(0, None)], [ms(250), ms(0), ms(0)]);
    }

    #[test]
    fn bursts_cost_no_more_than_two_inserts_a_second() {
        // Something comes every 40 ms, which is never the end of a burst, nor in time for one.
        let (start, linger) = (Instant::now(), Duration::from_millis(250));
        let (mut inserted, mut until, mut inserts) = (None, None, 0);
        for at in (0..60_000).step_by(40) {
            let now = start + Duration::from_millis(at);
            let until_then = *until.get_or_insert(now + linger);
            if wait(now, until_then, inserted) < Duration::from_millis(40) {
                (inserted, until, inserts) = (Some(now), None, inserts + 1);
            }
        }
        assert!(inserts <= 60 * 4, "no more than the linger allows: {inserts}");
        let (mut inserted, mut inserts) = (None, 0);
        for burst in (0..60_000).step_by(100) {
            let now = start + Duration::from_millis(burst);
            if wait(now, now + Duration::from_secs(1), inserted) == BURST {
                (inserted, inserts) = (Some(now), inserts + 1);
            }
        }
        assert!(inserts <= 120, "of bursts two a second are written at once: {inserts}");
    }
}
