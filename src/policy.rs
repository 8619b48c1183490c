//! What a session does when it is asked for a token: hand out the one it has, renew it in the
//! background, have the caller wait for a new one, or refuse for a while.
//!
//! Decided once per look, from numbers alone; the wrapper keeps the [`Memory`] and gives it back.

use crate::error::Code;
use crate::lease::{Instants, Lease};

const FIRST_HOLD_MS: f64 = 60_000.0;
const LONGEST_HOLD_MS: f64 = 3_600_000.0;
const FIRST_QUIET_MS: f64 = 1_000.0;
const LONGEST_QUIET_MS: f64 = 60_000.0;

/// What is remembered of exchanges that failed; no secret.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Memory {
    /// Failures in a row that were no refusal.
    pub failures: u32,
    /// No renewal in the background before this (monotonic).
    pub quiet_until: f64,
    /// Refusals in a row.
    pub refusals: u32,
    /// The credential is not sent before this (monotonic).
    pub held_until: f64,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The token that is there is handed out.
    pub hand_out: bool,
    /// An exchange is started, unless one is under way.
    pub exchange: bool,
    /// For so long the verdict stands; there is no need to look again.
    pub quiet_ms: f64,
    /// The last refusal is given again; the credential is held back for so long.
    pub refuse_ms: Option<f64>,
}

/// Judges at `now`, for one who wants `min_valid_ms` left of the token.
pub fn judge(
    lease: Option<&Lease>,
    memory: &Memory,
    now: Instants,
    min_valid_ms: Option<f64>,
) -> Verdict {
    let held_ms = memory.held_until - now.mono;
    let Some(lease) = lease.filter(|lease| lease.is_good(now, min_valid_ms)) else {
        let refuse_ms = (held_ms > 0.0).then_some(held_ms);
        let exchange = refuse_ms.is_none();
        return Verdict {
            hand_out: false,
            exchange,
            quiet_ms: 0.0,
            refuse_ms,
        };
    };
    let until_due = lease.look.left_at(now);
    if until_due > 0.0 {
        return Verdict {
            hand_out: true,
            exchange: false,
            quiet_ms: until_due,
            refuse_ms: None,
        };
    }
    // Due: callers still get the good token, and go on without a look while nothing can change.
    let until_wait = (lease.end.left_at(now) - lease.min_valid_ms).max(0.0);
    let pause = held_ms.max(memory.quiet_until - now.mono);
    if pause > 0.0 {
        let quiet_ms = pause.min(until_wait);
        return Verdict {
            hand_out: true,
            exchange: false,
            quiet_ms,
            refuse_ms: None,
        };
    }
    let quiet_ms = FIRST_QUIET_MS.min(until_wait);
    Verdict {
        hand_out: true,
        exchange: true,
        quiet_ms,
        refuse_ms: None,
    }
}

/// What an exchange that ended so changes: success forgets, a refusal holds the credential back for a
/// minute, doubling to an hour, any other failure delays the next renewal in the background.
///
/// `failure` is the error's code and whether the service gave a code of its own.
pub fn settle(
    memory: &Memory,
    failure: Option<(&str, bool)>,
    now: Instants,
    random: f64,
) -> Memory {
    match failure {
        None => Memory::default(),
        Some((code, by_service)) if is_refusal(code, by_service) => {
            let hold = (FIRST_HOLD_MS * doublings(memory.refusals)).min(LONGEST_HOLD_MS);
            Memory {
                refusals: memory.refusals.saturating_add(1),
                held_until: now.mono + hold,
                ..*memory
            }
        }
        Some(_) => {
            let bound = (FIRST_QUIET_MS * doublings(memory.failures)).min(LONGEST_QUIET_MS);
            Memory {
                failures: memory.failures.saturating_add(1),
                // At least half of the bound, so that callers do not knock at each call.
                quiet_until: now.mono + bound * (0.5 + 0.5 * random.clamp(0.0, 1.0)),
                ..*memory
            }
        }
    }
}

/// Only the service's own answer refuses a credential: a page of a proxy, a bare status never does.
fn is_refusal(code: &str, by_service: bool) -> bool {
    let refusals = [
        Code::InvalidCredentials,
        Code::Expired,
        Code::MfaRequired,
        Code::Forbidden,
    ];
    by_service && refusals.iter().any(|refusal| refusal.as_str() == code)
}

fn doublings(times: u32) -> f64 {
    2f64.powi(i32::try_from(times.min(16)).unwrap_or(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instants = Instants {
        wall: 1e12,
        mono: 1e3,
    };
    const HOUR: f64 = 3_600_000.0;

    fn lease() -> Lease {
        Lease::new(START, HOUR, 0.5)
    }

    const REFUSAL: Option<(&str, bool)> = Some(("invalid_credentials", true));

    fn at(ms: f64) -> Instants {
        START.plus(ms)
    }

    #[test]
    fn a_fresh_token_is_handed_out_until_it_is_due() {
        let verdict = judge(Some(&lease()), &Memory::default(), at(0.0), None);
        assert!(verdict.hand_out && !verdict.exchange);
        assert!((verdict.quiet_ms - 0.8 * HOUR).abs() < 1.0);
    }

    #[test]
    fn a_due_token_is_handed_out_while_it_is_renewed() {
        let verdict = judge(Some(&lease()), &Memory::default(), at(0.85 * HOUR), None);
        assert!(verdict.hand_out && verdict.exchange);
        let late = judge(
            Some(&lease()),
            &Memory::default(),
            at(HOUR - 60_500.0),
            None,
        );
        assert!(
            late.hand_out && late.quiet_ms <= 500.0,
            "callers wait within the last minute"
        );
    }

    #[test]
    fn within_the_last_minute_callers_wait_for_the_new_one() {
        let verdict = judge(
            Some(&lease()),
            &Memory::default(),
            at(HOUR - 59_000.0),
            None,
        );
        assert!(!verdict.hand_out && verdict.exchange);
        let content = judge(
            Some(&lease()),
            &Memory::default(),
            at(HOUR - 59_000.0),
            Some(1.0),
        );
        assert!(content.hand_out);
        assert!(judge(None, &Memory::default(), START, None).exchange);
    }

    #[test]
    fn a_failed_renewal_leaves_callers_undisturbed_and_the_next_try_waits() {
        let down = Some(("server_error", true));
        let mut memory = Memory::default();
        let mut waits = Vec::new();
        for _ in 0..8 {
            memory = settle(&memory, down, at(0.85 * HOUR), 1.0);
            waits.push(memory.quiet_until - at(0.85 * HOUR).mono);
        }
        assert_eq!(waits, [1e3, 2e3, 4e3, 8e3, 16e3, 32e3, 60e3, 60e3]);
        let verdict = judge(Some(&lease()), &memory, at(0.85 * HOUR), None);
        assert!(verdict.hand_out && !verdict.exchange && verdict.quiet_ms == 60e3);
        let over = judge(None, &memory, at(0.85 * HOUR), None);
        assert!(
            over.exchange,
            "no failure but a refusal is remembered against a waiting caller"
        );
    }

    #[test]
    fn a_refused_credential_is_held_back_for_a_minute_doubling_to_an_hour() {
        let mut memory = Memory::default();
        let mut holds = Vec::new();
        for _ in 0..8 {
            memory = settle(&memory, REFUSAL, START, 0.5);
            holds.push((memory.held_until - START.mono) / 60_000.0);
        }
        assert_eq!(holds, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]);
        let verdict = judge(None, &memory, START, None);
        assert_eq!((verdict.exchange, verdict.refuse_ms), (false, Some(HOUR)));
        assert!(judge(None, &memory, at(HOUR + 1.0), None).exchange);
        assert_eq!(settle(&memory, None, START, 0.5), Memory::default());
    }

    #[test]
    fn a_good_token_is_handed_out_although_the_credential_is_refused() {
        let memory = settle(&Memory::default(), REFUSAL, at(0.85 * HOUR), 0.5);
        let verdict = judge(Some(&lease()), &memory, at(0.85 * HOUR), None);
        assert!(verdict.hand_out && !verdict.exchange && verdict.refuse_ms.is_none());
    }

    #[test]
    fn a_page_or_a_bare_status_is_no_refusal() {
        assert!(!is_refusal("forbidden", false) && !is_refusal("protocol", true));
        assert!(!is_refusal("rate_limited", true) && is_refusal("expired", true));
    }
}
