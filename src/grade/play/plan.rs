//! What a case would send, when nothing is played.

use super::heads;
use super::open::Target;
use super::wire::Framing;
use crate::grade::case::{Case, Closer};
use crate::grade::script::{Send, Step};
use crate::model::grade::{Plan, PlannedStep};
use crate::model::{Deflate, Dir, Text};
use crate::synth::{Rng, handshake};

/// Bytes of a step that are shown.
const SHOWN: usize = 4096;

/// Compression without parameters (RFC 7692 §7.1).
const UNRESTRICTED: Deflate = Deflate {
    server_no_context_takeover: false,
    client_no_context_takeover: false,
    server_max_window_bits: 15,
    client_max_window_bits: 15,
};

/// What would be sent to a server, and what it may answer. Keys are as random as they would be, and the same
/// each time.
pub fn plan(case: &Case, target: &Target) -> Plan {
    let prepared = case.prepare(Dir::Client).unwrap_or_default();
    let mut rng = Rng::new(0);
    let mut nonce = [0; 16];
    rng.fill(&mut nonce);
    let (request, pacing) = target.request(case, &prepared);
    let head = heads::sent(&request.bytes(&handshake::key(nonce)), &pacing);
    let mut framing = Framing::new(Dir::Client, Some(UNRESTRICTED));
    let said = case.play.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut kept = Vec::new();
    let step = |(step, said): (&Step, &str)| {
        let mut planned = PlannedStep { said: said.to_owned(), bytes: Vec::new(), length: 0 };
        if let Step::Rest(count) = step {
            let count = count.unwrap_or(usize::MAX).min(kept.len());
            planned.bytes = kept.drain(..count).collect();
            planned.length = count as u64;
            planned.bytes.truncate(SHOWN);
        }
        let Step::Send(Send { what, times, cut, .. }) = step else { return planned };
        for nth in 0..*times {
            let mut bytes = Vec::new();
            framing.write(what, nth, &mut |out| rng.fill(out), &mut bytes);
            if let Some(cut) = cut {
                kept = bytes.split_off(cut.behind(&bytes));
            }
            planned.length += bytes.len() as u64;
            bytes.truncate(SHOWN.saturating_sub(planned.bytes.len()));
            planned.bytes.append(&mut bytes);
        }
        planned
    };
    Plan {
        case: case.facts.clone(),
        is_usual: prepared.request.is_none(),
        head,
        steps: prepared.steps.iter().zip(said).map(step).collect(),
        expected: case.pass.clone(),
        lenient: case.lenient.clone(),
        ends: ends(case),
    }
}

/// How a case is to end, in words.
fn ends(case: &Case) -> Text {
    let codes = case.ending.codes.iter().map(|code| code.0.to_string()).collect::<Vec<_>>().join(", ");
    match case.ending.closer {
        Closer::Judge => "when that has come the connection is closed".into(),
        Closer::Peer => Text::with("the server has to fail the connection, best with {}", codes),
        Closer::Either => "either may end the connection".into(),
    }
}
