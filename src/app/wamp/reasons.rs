//! What the URIs mean by which WAMP itself says why something ended or failed.

use crate::model::Text;

/// What a URI means; empty for those of applications.
pub fn meaning(uri: &str) -> Text {
    let known = REASONS.iter().find(|(known, _)| *known == uri);
    known.map_or_else(Text::default, |(_, words)| Text::new(words))
}

const REASONS: &[(&str, &str)] = &[
    ("wamp.close.normal", "the session ends as it should"),
    ("wamp.close.close_realm", "the client leaves the realm"),
    ("wamp.close.goodbye_and_out", "the answer to GOODBYE"),
    ("wamp.close.system_shutdown", "the router or client is shut down"),
    ("wamp.close.killed", "somebody ended the session from outside"),
    ("wamp.error.protocol_violation", "a message that may not come, or is none"),
    ("wamp.error.no_such_realm", "the router has no such realm"),
    ("wamp.error.no_such_role", "the router has no such role"),
    ("wamp.error.no_such_principal", "nobody of that name is known"),
    ("wamp.error.no_auth_method", "none of the offered ways to authenticate is allowed"),
    ("wamp.error.no_matching_auth_method", "none of the offered ways to authenticate is allowed"),
    ("wamp.error.authentication_failed", "the client could not prove who it is"),
    ("wamp.error.authentication_denied", "this client may not join"),
    ("wamp.error.authentication_required", "the realm wants clients that prove who they are"),
    ("wamp.error.not_authorized", "this session may not do that"),
    ("wamp.error.authorization_failed", "whether it may could not be found out"),
    ("wamp.error.no_such_procedure", "nobody has registered the procedure"),
    ("wamp.error.procedure_already_exists", "another session has registered the procedure"),
    ("wamp.error.no_such_registration", "there is no registration of that number"),
    ("wamp.error.no_such_subscription", "there is no subscription of that number"),
    ("wamp.error.invalid_argument", "the callee cannot use the arguments"),
    ("wamp.error.invalid_uri", "the URI is written in a way that is not allowed"),
    ("wamp.error.canceled", "the caller canceled the call"),
    ("wamp.error.timeout", "the call took too long"),
    ("wamp.error.unavailable", "nobody can take the call at the moment"),
    ("wamp.error.no_available_callee", "all who registered the procedure are busy"),
    ("wamp.error.no_eligible_callee", "none of those who registered the procedure may be called"),
    ("wamp.error.option_not_allowed", "an option that is not allowed"),
    ("wamp.error.option_disallowed.disclose_me", "the router discloses no callers or publishers"),
    ("wamp.error.feature_not_supported", "the router does not support it"),
    ("wamp.error.payload_size_exceeded", "the message is larger than its receiver takes"),
    ("wamp.error.network_failure", "the connection to the other side was lost"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_there_once() {
        for (i, (uri, _)) in REASONS.iter().enumerate() {
            assert!(REASONS[..i].iter().all(|(other, _)| other != uri), "{uri}");
        }
        assert_eq!(meaning("wamp.error.canceled"), Text::new("the caller canceled the call"));
        assert!(meaning("com.example.error.full").is_empty());
    }
}
