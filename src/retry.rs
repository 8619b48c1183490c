//! What may be sent again, and after what wait. The wait itself is the transport's.
//!
//! Exponential back-off with full jitter; a `Retry-After` of up to a minute is obeyed instead.

use crate::http::{Failure, Outcome, Reply, Resend};
use crate::json::digits;
use crate::text::{has, trim};

const FIRST_WAIT_MS: f64 = 500.0;
const LONGEST_WAIT_MS: f64 = 30_000.0;
const LONGEST_OBEYED_MS: f64 = 60_000.0;

/// Milliseconds to wait before the next try, or `None` where the outcome stands.
///
/// `tries` have been made so far, `retries` more than the first are allowed; `random` is 0 to 1.
pub fn next_try(
    resend: Resend,
    outcome: &Outcome,
    tries: u32,
    retries: u32,
    random: f64,
) -> Option<f64> {
    if tries > retries || !may_send_again(resend, outcome) {
        return None;
    }
    let asked = match outcome {
        Ok(reply) => retry_after_ms(reply),
        Err(_) => None,
    };
    match asked {
        Some(ms) if ms > LONGEST_OBEYED_MS => None,
        Some(ms) => Some(ms),
        None => {
            let doublings = i32::try_from(tries.saturating_sub(1))
                .unwrap_or(i32::MAX)
                .min(16);
            let bound = (FIRST_WAIT_MS * 2f64.powi(doublings)).min(LONGEST_WAIT_MS);
            Some(bound * random.clamp(0.0, 1.0))
        }
    }
}

fn may_send_again(resend: Resend, outcome: &Outcome) -> bool {
    match (resend, outcome) {
        (Resend::Safe, Ok(reply)) => {
            matches!(reply.status, 429 | 500 | 502..=504 | 520..=530)
        }
        (Resend::Spends, Ok(reply)) => matches!(reply.status, 429 | 503),
        (Resend::Safe, Err(failure)) => match failure {
            Failure::TimedOut => true,
            Failure::Network { .. } => !failure.is_certificate(),
            _ => false,
        },
        (Resend::Spends, Err(failure)) => {
            matches!(failure, Failure::Network { unsent: true, .. })
        }
    }
}

/// What the service asks to wait, in milliseconds: `Retry-After` in seconds or as a date
/// (RFC 9110, section 10.2.3), else Cloud Foundry's `X-RateLimit-Reset` (epoch seconds). Dates count
/// from the answer's own `Date`, so the local clock does not matter. Nonsense and the past: `None`.
pub fn retry_after_ms(reply: &Reply) -> Option<f64> {
    let ms = match reply.header("retry-after") {
        Some(text) => match digits(trim(text)) {
            Some(seconds) => seconds * 1000.0,
            None => reply.retry_date_ms? - reply.date_ms?,
        },
        None => digits(trim(reply.header("x-ratelimit-reset")?))? * 1000.0 - reply.date_ms?,
    };
    (ms > 0.0).then_some(ms)
}

/// Whether a header may be a date of HTTP (RFC 9110, section 5.6.7): the platform's own reader takes
/// nearly anything for a date, `-5` among it.
pub fn is_http_date(text: &str) -> bool {
    text.ends_with(" GMT") && has(text, ":") && has(text, ",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::testing::reply;

    fn with(status: u16, headers: &[(&'static str, &str)]) -> Outcome {
        let mut reply = reply(status, "");
        reply.headers = headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        Ok(Box::new(reply))
    }

    fn network(code: &str, unsent: bool) -> Outcome {
        Err(Failure::Network {
            code: code.into(),
            unsent,
            cross_origin: false,
        })
    }

    #[test]
    fn reads_and_reusable_exchanges_are_sent_again_on_passing_faults_only() {
        for status in [429, 500, 502, 503, 504, 520, 530] {
            assert!(
                next_try(Resend::Safe, &with(status, &[]), 1, 3, 0.5).is_some(),
                "{status}"
            );
        }
        for status in [200, 302, 400, 401, 403, 404, 407, 408, 501, 505, 519, 531] {
            assert!(
                next_try(Resend::Safe, &with(status, &[]), 1, 3, 0.5).is_none(),
                "{status}"
            );
        }
        assert!(next_try(Resend::Safe, &Err(Failure::TimedOut), 1, 3, 0.5).is_some());
        assert!(next_try(Resend::Safe, &network("ECONNRESET", false), 1, 3, 0.5).is_some());
        assert!(next_try(Resend::Safe, &network("CERT_HAS_EXPIRED", false), 1, 3, 0.5).is_none());
        assert!(next_try(Resend::Safe, &Err(Failure::Aborted), 1, 3, 0.5).is_none());
        assert!(next_try(Resend::Safe, &Err(Failure::TooLarge), 1, 3, 0.5).is_none());
    }

    #[test]
    fn what_spends_something_is_sent_again_only_where_nothing_was_taken() {
        assert!(next_try(Resend::Spends, &with(429, &[]), 1, 3, 0.5).is_some());
        assert!(next_try(Resend::Spends, &with(503, &[]), 1, 3, 0.5).is_some());
        assert!(next_try(Resend::Spends, &with(500, &[]), 1, 3, 0.5).is_none());
        assert!(next_try(Resend::Spends, &network("ECONNREFUSED", true), 1, 3, 0.5).is_some());
        assert!(next_try(Resend::Spends, &network("ECONNRESET", false), 1, 3, 0.5).is_none());
    }

    #[test]
    fn waits_double_with_full_jitter_and_end_with_the_tries() {
        let wait = |tries, random| next_try(Resend::Safe, &with(503, &[]), tries, 9, random);
        assert_eq!(wait(1, 1.0), Some(500.0));
        assert_eq!(wait(2, 1.0), Some(1000.0));
        assert_eq!(wait(3, 0.5), Some(1000.0));
        assert_eq!(wait(9, 1.0), Some(30_000.0));
        assert_eq!(wait(10, 1.0), None);
        assert_eq!(next_try(Resend::Safe, &with(503, &[]), 1, 0, 0.5), None);
    }

    #[test]
    fn retry_after_is_obeyed_up_to_a_minute() {
        let wait = |value| {
            next_try(
                Resend::Safe,
                &with(429, &[("retry-after", value)]),
                1,
                3,
                1.0,
            )
        };
        assert_eq!(wait("60"), Some(60_000.0));
        assert_eq!(wait("61"), None);
        assert_eq!(wait("1000000000"), None);
        for nonsense in ["0", "-5", "2.5", "NaN", "30, 60", "", "soon"] {
            assert_eq!(wait(nonsense), Some(500.0), "{nonsense}: our own back-off");
        }
    }

    #[test]
    fn dates_count_from_the_answers_own_date() {
        let ms = |headers: &[(&'static str, &str)], date_ms, retry_date_ms| {
            let Ok(mut reply) = with(429, headers) else {
                return None;
            };
            (reply.date_ms, reply.retry_date_ms) = (date_ms, retry_date_ms);
            retry_after_ms(&reply)
        };
        let date = [("retry-after", "Wed, 21 Oct 2015 07:28:05 GMT")];
        let now = Some(1_445_412_480_000.0);
        assert_eq!(ms(&date, now, Some(1_445_412_485_000.0)), Some(5000.0));
        assert_eq!(ms(&date, None, Some(1_445_412_485_000.0)), None);
        assert_eq!(ms(&date, now, Some(1_445_412_400_000.0)), None);
        assert_eq!(ms(&date, now, None), None);
        assert_eq!(
            ms(&[("x-ratelimit-reset", "1445412490")], now, None),
            Some(10_000.0)
        );
        assert_eq!(ms(&[("x-ratelimit-reset", "1445412490")], None, None), None);
    }

    #[test]
    fn only_what_looks_like_an_http_date_is_read_as_one() {
        assert!(is_http_date("Wed, 21 Oct 2015 07:28:05 GMT"));
        assert!(is_http_date("Wednesday, 21-Oct-15 07:28:05 GMT"));
        for text in [
            "-5",
            "2.5",
            "NaN",
            "30, 60",
            "",
            "soon",
            "2015",
            "Oct 21 2015",
        ] {
            assert!(!is_http_date(text), "{text}");
        }
    }
}
