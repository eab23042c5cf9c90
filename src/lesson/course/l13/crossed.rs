//! Two programs that do not fit together: a plain WebSocket at one end, Socket.IO at the other.

use super::super::wire::capture;
use super::{answer, get, open_packet, place, quoted, session_id};
use crate::lesson::{Answer, Instance};
use crate::synth::Rng;

/// Two programs that do not fit together.
struct Scene {
    /// What happens, by the option's id.
    right: &'static str,
    /// The words for what is asked about, and for why it ends so.
    told: &'static str,
    why: &'static str,
    /// What goes over the wire.
    script: String,
}

const OUTCOMES: [&str; 4] = ["it-works", "refused-query", "refused-poll", "thrown-out"];

/// A plain WebSocket on one side, Socket.IO on the other.
pub(super) fn wrong_number(rng: &mut Rng) -> Instance {
    let (port, place) = (1024 + rng.below(60_000), place(rng));
    let Scene { right, told, why, script } = match rng.below(4) {
        0 => query_missing(&place),
        1 => let_in_and_thrown_out(&place, &session_id(rng)),
        2 => poll_at_a_plain_server(),
        _ => greeting_is_no_packet(&place),
    };
    let wrong = OUTCOMES.into_iter().filter(|id| *id != right);
    wrong
        .fold(Instance::new(Answer::choice(right)), |instance, id| instance.mistake(id, Answer::choice(id)))
        .hole("port", port)
        .hole("place", place)
        .words("scene", told)
        .words("why", why)
        .choices(OUTCOMES)
        .file("wire.pcap", capture(&script, rng))
        .command(["decode", "--view", "session", "{file:wire.pcap}"])
}

fn query_missing(place: &str) -> Scene {
    let target = format!("/socket.io/?room={place}");
    let refusal = answer("400 Bad Request", "Transport unknown");
    Scene {
        right: "refused-query",
        told: "query-missing",
        why: "why-query-missing",
        script: format!("request path=\"{target}\"\n{refusal}"),
    }
}

fn let_in_and_thrown_out(place: &str, session: &str) -> Scene {
    let target = "/socket.io/?EIO=4&transport=websocket";
    let open = quoted(&open_packet(session, "[]"));
    Scene {
        right: "thrown-out",
        told: "let-in",
        why: "why-let-in",
        script: format!(
            "handshake path=\"{target}\"\nserver text \"{open}\"\nclient text \"hello from {place}\"\n\
             server close\nclient close\n"
        ),
    }
}

fn poll_at_a_plain_server() -> Scene {
    let refusal = answer("426 Upgrade Required", "Upgrade Required");
    Scene {
        right: "refused-poll",
        told: "poll",
        why: "why-poll",
        script: format!("no-handshake\n{}{refusal}", get("/socket.io/?EIO=4&transport=polling")),
    }
}

fn greeting_is_no_packet(place: &str) -> Scene {
    Scene {
        right: "thrown-out",
        told: "greeting",
        why: "why-greeting",
        script: format!(
            "handshake path=\"/socket.io/?EIO=4&transport=websocket\"\n\
             server text \"welcome to {place}\"\nclient close\nserver close\n"
        ),
    }
}
