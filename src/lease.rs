//! How long a token may be handed out: on two clocks, from the sending instant.
//!
//! The wall clock goes on while a machine sleeps, but can be moved; the monotonic one can't be
//! moved, but may stand still. A token is usable only while both say so.

/// A point in time on both clocks, in milliseconds (wall: since the epoch).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Instants {
    /// Wall clock.
    pub wall: f64,
    /// Monotonic clock, from an origin of its own.
    pub mono: f64,
}

impl Instants {
    /// The instants `ms` later.
    #[must_use]
    pub fn plus(self, ms: f64) -> Self {
        Self {
            wall: self.wall + ms,
            mono: self.mono + ms,
        }
    }

    /// Milliseconds from `now` to here, by the clock that has less left; none where a clock failed, for
    /// the other one alone proves nothing.
    pub fn left_at(self, now: Self) -> f64 {
        let (wall, mono) = (self.wall - now.wall, self.mono - now.mono);
        // `min` would pass over what is not a number.
        if wall.is_nan() || mono.is_nan() {
            return f64::NEG_INFINITY;
        }
        wall.min(mono)
    }
}

/// A token is kept for a year at most, whatever the service says.
const LONGEST_LIFE_MS: f64 = 365.0 * 86_400_000.0;
const MIN_VALID_MS: f64 = 60_000.0;

/// What the wrapper compares with its clocks, without asking the core.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lease {
    /// Until here the token is handed out without a look.
    pub look: Instants,
    /// Here it ends.
    pub end: Instants,
    /// Milliseconds that a handed-out token has left at least: 60 s, at most a fifth of its life.
    pub min_valid_ms: f64,
    /// Milliseconds that it lived when it was new.
    pub life_ms: f64,
}

impl Lease {
    /// The lease of a token that was asked for at `sent` and lives `life_ms`; renewal is due at
    /// 0.72 to 0.88 of the life, spread by `random` (0 to 1), so that a fleet does not renew in step.
    pub fn new(sent: Instants, life_ms: f64, random: f64) -> Self {
        let life_ms = life_ms.min(LONGEST_LIFE_MS);
        let min_valid_ms = MIN_VALID_MS.min(life_ms / 5.0);
        let due = life_ms * (0.72 + 0.16 * random.clamp(0.0, 1.0));
        // Some of a short life too is left to renew in while callers get the good token.
        let latest = 0.9 * (life_ms - min_valid_ms);
        Self {
            look: sent.plus(due.min(latest)),
            end: sent.plus(life_ms),
            min_valid_ms,
            life_ms,
        }
    }

    /// Whether the token may be handed out at `now` to one who wants `min_valid_ms` left of it.
    pub fn is_good(&self, now: Instants, min_valid_ms: Option<f64>) -> bool {
        let left = self.end.left_at(now);
        left > 0.0 && left >= min_valid_ms.unwrap_or(self.min_valid_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: Instants = Instants {
        wall: 1_000_000.0,
        mono: 50.0,
    };

    #[test]
    fn renewal_is_due_between_72_and_88_hundredths_of_the_life() {
        let due = |random| Lease::new(SENT, 3_600_000.0, random).look.mono - SENT.mono;
        assert!((due(0.0) - 2_592_000.0).abs() < 1.0);
        assert!((due(1.0) - 3_168_000.0).abs() < 1.0);
        assert!(due(0.0) < due(0.5) && due(0.5) < due(1.0));
    }

    #[test]
    fn a_token_is_good_only_while_both_clocks_say_so() {
        let lease = Lease::new(SENT, 3_600_000.0, 0.5);
        let at = |wall, mono| {
            lease.is_good(
                Instants {
                    wall: SENT.wall + wall,
                    mono: SENT.mono + mono,
                },
                None,
            )
        };
        assert!(at(0.0, 0.0));
        assert!(at(3_540_000.0, 3_540_000.0));
        assert!(
            !at(3_540_001.0, 0.0),
            "a machine that slept: only the wall clock went on"
        );
        assert!(
            !at(-9_000_000.0, 3_540_001.0),
            "a wall clock that was set back"
        );
    }

    #[test]
    fn renewal_of_a_short_token_is_due_before_callers_must_wait() {
        for life_ms in [1.0, 5_000.0, 120_000.0, 300_000.0, 900_000.0] {
            let lease = Lease::new(SENT, life_ms, 1.0);
            let due = lease.look.mono - SENT.mono;
            assert!(due >= 0.719 * life_ms && due <= 0.901 * (life_ms - lease.min_valid_ms));
        }
    }

    #[test]
    fn a_clock_that_fails_leaves_nothing_of_a_token() {
        let lease = Lease::new(SENT, 3_600_000.0, 0.5);
        for (wall, mono) in [(f64::NAN, SENT.mono), (SENT.wall, f64::NAN)] {
            assert!(!lease.is_good(Instants { wall, mono }, Some(0.0)));
            assert!(!Lease::new(Instants { wall, mono }, 1.0, 0.5).is_good(SENT, Some(0.0)));
        }
    }

    #[test]
    fn a_short_token_keeps_a_fifth_of_its_life_and_a_long_one_a_minute() {
        assert_eq!(Lease::new(SENT, 5_000.0, 0.5).min_valid_ms, 1_000.0);
        assert_eq!(Lease::new(SENT, 1e15, 0.5).min_valid_ms, 60_000.0);
        assert_eq!(Lease::new(SENT, 1e15, 0.5).life_ms, 365.0 * 86_400_000.0);
    }

    #[test]
    fn a_caller_may_want_more_or_less_than_the_margin() {
        let lease = Lease::new(SENT, 3_600_000.0, 0.5);
        let late = SENT.plus(3_590_000.0);
        assert!(!lease.is_good(late, None) && lease.is_good(late, Some(5_000.0)));
        assert!(!lease.is_good(SENT.plus(3_600_000.0), Some(0.0)));
        assert!(!lease.is_good(SENT, Some(3_600_001.0)));
    }
}
