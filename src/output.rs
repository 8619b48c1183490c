//! What goes out to the wrapper: plain data of camelCase fields; what there is none of is left out.

use crate::cloud_foundry::find::Found;
use crate::error::{Candidate, Error};
use crate::exchange::Ended;
use crate::input::Plan;
use crate::json::{Object, Value};
use crate::jwt::Holder;
use crate::key_protect::KeyPage;
use crate::lease::{Instants, Lease};
use crate::policy::{Memory, Verdict};
use crate::record::Record;
use crate::resource_controller::FoundInstance;
use crate::token::TokenSet;
use crate::verify::Pick;

/// An error as the wrapper reads it.
pub fn error(error: Error) -> Value {
    let error = error.into_details();
    let mut object = Object::default()
        .with("code", error.code.as_str().into())
        .with("message", Value::Text(error.message))
        .with("hint", Value::Text(error.hint))
        .with("retryable", error.code.retryable().into())
        .with_number("status", error.status.map(f64::from))
        .with_text("serviceCode", error.service_code.as_deref())
        .with_text("requestId", error.request_id.as_deref())
        .with_number("retryAfterMs", error.retry_after_ms);
    if !error.candidates.is_empty() {
        let candidates = error.candidates.into_iter().map(candidate).collect();
        object = object.with("candidates", Value::List(candidates));
    }
    object.into()
}

fn candidate(candidate: Candidate) -> Value {
    named(&candidate.guid, &candidate.name)
        .with_text("region", candidate.region.as_deref())
        .with_text("resourceGroup", candidate.resource_group.as_deref())
        .into()
}

fn named(guid: &str, name: &str) -> Object {
    let name = Some(name).filter(|name| !name.is_empty());
    Object::default()
        .with("guid", guid.into())
        .with_text("name", name)
}

impl From<Found> for Value {
    fn from(found: Found) -> Self {
        named(&found.guid, &found.name).into()
    }
}

impl From<FoundInstance> for Value {
    fn from(found: FoundInstance) -> Self {
        named(&found.guid, &found.name)
            .with_text("crn", found.crn.as_deref())
            .with_text("region", found.region.as_deref())
            .with_text("resourceGroup", found.resource_group.as_deref())
            .with_text("host", found.host.as_deref())
            .into()
    }
}

impl From<KeyPage> for Value {
    fn from(page: KeyPage) -> Self {
        #[allow(clippy::cast_precision_loss)] // a count of what fits into 64 MiB
        let count = page.count as f64;
        Object::default()
            .with("text", Self::Text(page.text))
            .with("count", count.into())
            .with("more", page.more.into())
            .into()
    }
}

impl From<Plan> for Value {
    fn from(plan: Plan) -> Self {
        let headers = plan
            .headers
            .iter()
            .fold(Object::default(), |headers, (name, value)| {
                headers.with(name, value.as_str().into())
            });
        let mut object = Object::default()
            .with("timeoutMs", plan.timeout_ms.into())
            .with("region", Self::Text(plan.region))
            .with("headers", headers.into());
        for (name, address) in plan.addresses {
            object = object.with_text(name, address.as_deref());
        }
        if let Some(reusable) = plan.reusable {
            object = object.with("reusable", reusable.into());
        }
        if let Some(parts) = plan.key_parts {
            let parts = parts.into_iter().map(Self::Text).collect();
            object = object.with("keyParts", Self::List(parts));
        }
        object.into()
    }
}

impl From<Pick> for Value {
    fn from(pick: Pick) -> Self {
        let object = Object::default();
        match pick {
            Pick::Read { again } => object.with("again", again.into()),
            Pick::Failed { wait_ms } => object.with("waitMs", wait_ms.into()),
            Pick::Check {
                alg,
                signed,
                signature,
                keys,
            } => object
                .with("alg", alg.into())
                .with("signed", Self::Text(signed))
                .with("signature", Self::Text(signature))
                .with("keys", Self::List(keys)),
        }
        .into()
    }
}

impl From<Verdict> for Value {
    fn from(verdict: Verdict) -> Self {
        Object::default()
            .with("handOut", verdict.hand_out.into())
            .with("exchange", verdict.exchange.into())
            .with("quietMs", verdict.quiet_ms.into())
            .with_number("refuseMs", verdict.refuse_ms)
            .into()
    }
}

impl From<Memory> for Value {
    fn from(memory: Memory) -> Self {
        Object::default()
            .with("failures", f64::from(memory.failures).into())
            .with("quietUntil", memory.quiet_until.into())
            .with("refusals", f64::from(memory.refusals).into())
            .with("heldUntil", memory.held_until.into())
            .into()
    }
}

impl From<Record> for Value {
    fn from(record: Record) -> Self {
        let mut object = Object::default().with_text("uaaEndpoint", record.uaa_endpoint.as_deref());
        if let Some(assume) = record.assume {
            object = object.with("assume", assume.into());
        }
        for (name, set) in [("iam", record.iam), ("uaa", record.uaa)] {
            if let Some(set) = set {
                object = object.with(name, token_set(&set));
            }
        }
        object.into()
    }
}

impl From<Ended> for Value {
    /// The one place where tokens leave the core.
    fn from(ended: Ended) -> Self {
        let Ended::Tokens(exchanged) = ended else {
            return Object::default().with("signInAgain", true.into()).into();
        };
        let mut object = Object::default()
            .with_text(
                "uaaEndpoint",
                exchanged.uaa.as_ref().map(|uaa| uaa.as_str()),
            )
            .with("uaaAsked", exchanged.uaa_asked.into())
            .with("byRefresh", exchanged.by_refresh.into())
            .with("isGiven", exchanged.is_given.into())
            .with_number("serverMs", exchanged.server_ms)
            .with("sentWall", exchanged.sent_wall.into());
        for (name, set) in [("iam", exchanged.tokens.iam), ("uaa", exchanged.tokens.uaa)] {
            if let Some(set) = set {
                object = object.with(name, token_set(&set));
            }
        }
        object.into()
    }
}

/// A set of tokens, as the wrapper holds it.
pub fn token_set(set: &TokenSet) -> Value {
    let refresh_token = set.refresh_token.as_ref().map(|token| token.expose());
    Object::default()
        .with("accessToken", set.access_token.expose().into())
        .with("tokenType", set.token_type.as_str().into())
        .with_text("refreshToken", refresh_token)
        .with_text("scope", set.scope.as_deref())
        .with("lease", lease(&set.lease))
        .into()
}

fn lease(lease: &Lease) -> Value {
    Object::default()
        .with("look", instants(lease.look))
        .with("end", instants(lease.end))
        .with("minValidMs", lease.min_valid_ms.into())
        .with("lifeMs", lease.life_ms.into())
        .into()
}

fn instants(at: Instants) -> Value {
    Object::default()
        .with("wall", at.wall.into())
        .with("mono", at.mono.into())
        .into()
}

impl From<Holder> for Value {
    fn from(holder: Holder) -> Self {
        Object::default()
            .with_text("user", holder.user.as_deref())
            .with_text("account", holder.account.as_deref())
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn an_error_goes_out_with_what_there_is_of_it() {
        let bare = error(Error::new(Code::Network, "m", "h"));
        let Value::Object(bare) = bare else { panic!() };
        assert_eq!(bare.names(), ["code", "message", "hint", "retryable"]);
        assert_eq!(bare.get("retryable"), Some(&Value::Bool(true)));
        let mut full = Error::invalid_input("m", "h");
        full.status = Some(400);
        let candidate = Candidate {
            guid: "g".into(),
            name: "n".into(),
            region: Some("eu-de".into()),
            resource_group: None,
        };
        let Value::Object(full) = error(full.with_candidates(vec![candidate])) else {
            panic!()
        };
        assert_eq!(full.number("status"), Some(400.0));
        let first = full.first("candidates").unwrap();
        assert_eq!(first.names(), ["guid", "name", "region"]);
    }
}
