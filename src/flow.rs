//! An errand of one or several requests, as a value: no I/O, no clock, no random source.
//!
//! The transport asks [`Flow::next`] until it gives nothing more to send, sends what it is given
//! (several at once, where a flow asks for several), and feeds each result back. When nothing is left
//! to send and nothing is under way, the errand is done, and [`Yields::output`] has what it is for.

use crate::error::Error;
use crate::http::{Reply, Request};
use crate::lease::Instants;

/// Tells the requests of one flow apart.
pub type RequestId = u32;

/// What the transport knows about a request that it has sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// The instant just before `fetch` was called (for the last try).
    pub at: Instants,
    /// A random number from 0 to 1.
    pub random: f64,
}

/// An errand, as the transport drives it. Kept apart from what it yields, so that the machinery that
/// drives it is there once and not once per kind.
pub trait Flow {
    /// The next request to send, to be fed back under this id.
    fn next(&mut self) -> Option<(RequestId, Request)>;

    /// Takes the result of a request: an answer of any status, or why there is none.
    ///
    /// # Errors
    /// Those that end the errand.
    fn on_result(
        &mut self,
        id: RequestId,
        result: Result<&Reply, Error>,
        sent: Sent,
    ) -> Result<(), Error>;
}

/// What an errand is for.
pub trait Yields: Flow {
    /// Its kind.
    type Output;

    /// What the errand has brought; `None` if it was not driven to its end.
    fn output(self) -> Option<Self::Output>;
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    pub(crate) const SENT: Sent = Sent {
        at: Instants {
            wall: 1_000_000.0,
            mono: 10.0,
        },
        random: 0.5,
    };

    pub(crate) fn reply(status: u16, body: &str) -> Reply {
        Reply {
            status,
            headers: vec![],
            date_ms: None,
            retry_date_ms: None,
            body: body.as_bytes().to_vec(),
            sent_id: Some("ours".into()),
            secrets: vec!["SENTINEL".into()],
        }
    }

    /// Runs a flow to its end against a function that answers; gives the requests too.
    pub(crate) fn run<F: Yields>(
        mut flow: F,
        mut answer: impl FnMut(&Request) -> Result<Reply, Error>,
    ) -> (Result<F::Output, Error>, Vec<Request>) {
        let mut requests = Vec::new();
        while let Some((id, request)) = flow.next() {
            let result = answer(&request);
            requests.push(request);
            if let Err(error) = flow.on_result(id, result.as_ref().map_err(Error::clone), SENT) {
                return (Err(error), requests);
            }
        }
        (
            Ok(flow.output().expect("the flow has an output at its end")),
            requests,
        )
    }
}
