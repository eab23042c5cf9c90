//! The machine against the traces of RFC 8448 §3, and what must hold of any segmentation.

use std::fmt::Write;
use std::ops::ControlFlow;

use super::*;
use crate::tls::{alert_name, handshake_name};

const CLIENT_HELLO: &str = "\
    16030100c4010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece70000061301 \
    13031302010000910000000b0009000006736572766572ff01000100000a00140012001d001700180019010001010102 \
    0103010400230000003300260024001d002099381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529a \
    af2c002b0003020304000d0020001e040305030603020308040805080604010501060102010402050206020202002d00 \
    020101001c00024001";

const SERVER_HELLO: &str = "\
    160303005a020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e269280013010000 \
    2e00330024001d0020c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304";

const SERVER_FLIGHT: &str = "\
    17030302a2d1ff334a56f5bff6594a07cc87b580233f500f45e489e7f33af35edf7869fcf40aa40aa2b8ea73f848a7ca \
    07612ef9f945cb960b4068905123ea78b111b429ba9191cd05d2a389280f526134aadc7fc78c4b729df828b5ecf7b13b \
    d9aefb0e57f271585b8ea9bb355c7c79020716cfb9b1183ef3ab20e37d57a6b9d7477609aee6e122a4cf51427325250c \
    7d0e509289444c9b3a648f1d71035d2ed65b0e3cdd0cbae8bf2d0b227812cbb360987255cc744110c453baa4fcd61092 \
    8d809810e4b7ed1a8fd991f06aa6248204797e36a6a73b70a2559c09ead686945ba246ab66e5edd8044b4c6de3fcf2a8 \
    9441ac66272fd8fb330ef8190579b3684596c960bd596eea520a56a8d650f563aad27409960dca63d3e688611ea5e22f \
    4415cf9538d51a200c27034272968a264ed6540c84838d89f72c24461aad6d26f59ecaba9acbbb317b66d902f4f292a3 \
    6ac1b639c637ce343117b659622245317b49eeda0c6258f100d7d961ffb138647e92ea330faeea6dfa31c7a84dc3bd7e \
    1b7a6c7178af36879018e3f252107f243d243dc7339d5684c8b0378bf30244da8c87c843f5e56eb4c5e8280a2b48052c \
    f93b16499a66db7cca71e4599426f7d461e66f99882bd89fc50800becca62d6c74116dbd2972fda1fa80f85df881edbe \
    5a37668936b335583b599186dc5c6918a396fa48a181d6b6fa4f9d62d513afbb992f2b992f67f8afe67f76913fa388cb \
    5630c8ca01e0c65d11c66a1e2ac4c85977b7c7a6999bbf10dc35ae69f5515614636c0b9b68c19ed2e31c0b3b66763038 \
    ebba42f3b38edc0399f3a9f23faa63978c317fc9fa66a73f60f0504de93b5b845e275592c12335ee340bbc4fddd50278 \
    4016e4b3be7ef04dda49f4b440a30cb5d2af939828fd4ae3794e44f94df5a631ede42c1719bfdabf0253fe5175be898e \
    750edc53370d2b";

const CLIENT_FINISHED: &str = "\
    170303003575ec4dc238cce60b298044a71e219c56cc77b0517fe9b93c7a4bfc44d87f38f80338ac98fc46deb384bd1c \
    aeacab6867d726c40546";

const TICKET: &str = "\
    17030300de3a6b8f90414a97d6959c3487680de5134a2b240e6cffac116e95d41d6af8f6b580dcf3d11d63c758db289a \
    015940252f55713e061dc13e078891a38efbcf5753ad8ef170ad3c7353d16d9da773b9ca7f2b9fa1b6c0d4a3d03f75e0 \
    9c30ba1e62972ac46f75f7b981be63439b2999ce13064615139891d5e4c5b406f16e3fc181a77ca475840025db2f0a77 \
    f81b5ab05b94c01346755f69232c86519d86cbeeac87aac347d143f9605d64f650db4d023e70e952ca49fe5137121c74 \
    bc2697687e248746d6df353005f3bce18696129c8153556b3b6c6779b37bf15985684f";

const CLIENT_DATA: &str = "\
    1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b \
    62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4";

const SERVER_DATA: &str = "\
    17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8 \
    fcc49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d";

const CLIENT_CLOSE: &str = "\
    1703030013c9872760655666b74d7ff1153efd6db6d0b0e3";

const SERVER_CLOSE: &str = "\
    1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9";

const RANDOM: &str = "cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7";

/// The secrets of the trace, as a program would log them.
const LOG: [(&str, &str); 4] = [
    ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21"),
    ("SERVER_HANDSHAKE_TRAFFIC_SECRET", "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"),
    ("CLIENT_TRAFFIC_SECRET_0", "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"),
    ("SERVER_TRAFFIC_SECRET_0", "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643"),
];

/// Who sends what, in order.
const TRACE: [(Dir, &str); 9] = [
    (Dir::Client, CLIENT_HELLO),
    (Dir::Server, SERVER_HELLO),
    (Dir::Server, SERVER_FLIGHT),
    (Dir::Client, CLIENT_FINISHED),
    (Dir::Server, TICKET),
    (Dir::Client, CLIENT_DATA),
    (Dir::Server, SERVER_DATA),
    (Dir::Client, CLIENT_CLOSE),
    (Dir::Server, SERVER_CLOSE),
];

fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

/// Secrets with all labels of the trace but one.
fn secrets(without: &str) -> Secrets {
    let mut log = String::new();
    for (label, secret) in LOG.into_iter().filter(|(label, _)| *label != without) {
        writeln!(log, "{label} {RANDOM} {secret}").unwrap();
    }
    let mut secrets = Secrets::default();
    assert_eq!(secrets.read(log.as_bytes()), []);
    secrets
}

/// What a machine tells of the trace in pieces of this size.
#[derive(Default)]
struct Heard {
    said: Vec<String>,
    /// Content with where its bytes stand: packet and byte.
    content: [Vec<(u8, u64, u32)>; 2],
}

impl Heard {
    fn of(secrets: Secrets, trace: &[(Dir, Vec<u8>)], size: usize) -> Self {
        let mut machine = Machine::default();
        let mut heard = Self::default();
        for (packet, (dir, bytes)) in (1..).zip(trace) {
            for (place, piece) in bytes.chunks(size).enumerate() {
                let at = At { packet, byte: (place * size) as u32, ..At::default() };
                let hear = |carried: &Carried<'_>, event: Event<'_>| {
                    heard.hear(carried, event);
                    ON
                };
                let flow = machine.push(*dir, piece, at, &mut (&secrets, hear));
                assert!(flow.is_continue());
            }
        }
        heard
    }

    fn hear(&mut self, carried: &Carried<'_>, event: Event<'_>) {
        let dir = carried.dir;
        match event {
            Event::Data(content) => {
                for (run, at) in carried.runs(content) {
                    let bytes = run.iter().zip(at.byte..).map(|(byte, place)| (*byte, at.packet, place));
                    self.content[dir.index()].extend(bytes);
                }
                self.said.push(format!("{dir}: {} bytes in record {}", content.len(), carried.number));
            }
            Event::Handshake(Message { kind, length, .. }) => {
                self.said.push(format!("{dir}: {} of {length}", handshake_name(kind)));
            }
            Event::Alert { code, .. } => self.said.push(format!("{dir}: alert {}", alert_name(code))),
            other => self.said.push(format!("{dir}: {other:?}")),
        }
    }
}

fn trace() -> Vec<(Dir, Vec<u8>)> {
    TRACE.into_iter().map(|(dir, record)| (dir, hex(record))).collect()
}

#[test]
fn the_trace_of_rfc_8448_is_deciphered() {
    let heard = Heard::of(secrets(""), &trace(), usize::MAX);
    assert_eq!(
        heard.said,
        [
            "client: ClientHello of 196",
            "server: ServerHello of 90",
            "server: EncryptedExtensions of 40",
            "server: Certificate of 445",
            "server: CertificateVerify of 136",
            "server: Finished of 36",
            "client: Finished of 36",
            "server: NewSessionTicket of 205",
            "client: 50 bytes in record 3",
            "server: 50 bytes in record 4",
            "client: alert close_notify",
            "server: alert close_notify",
        ]
    );
    // Each byte of content is one of the record's, behind its header.
    let expected: Vec<(u8, u64, u32)> = (0..50).map(|at| (at, 6, 5 + u32::from(at))).collect();
    assert_eq!(heard.content[0], expected);
}

#[test]
fn segmentation_changes_nothing() {
    let whole = Heard::of(secrets(""), &trace(), usize::MAX);
    for size in [1, 2, 3, 5, 7, 64, 300] {
        let cut = Heard::of(secrets(""), &trace(), size);
        assert_eq!((&cut.said, &cut.content), (&whole.said, &whole.content), "pieces of {size}");
    }
    // Segments that hold several records.
    let mut joined: Vec<(Dir, Vec<u8>)> = Vec::new();
    for (dir, bytes) in trace() {
        match joined.last_mut() {
            Some((last, all)) if *last == dir => all.extend(bytes),
            _ => joined.push((dir, bytes)),
        }
    }
    assert_eq!(Heard::of(secrets(""), &joined, usize::MAX).said, whole.said);
}

#[test]
fn a_secret_that_is_missing_is_named() {
    let told = |without: &str| Heard::of(secrets(without), &trace(), usize::MAX).said;
    let expected = "client: Trouble(Missing(ClientTraffic))".to_owned();
    assert!(told("CLIENT_TRAFFIC_SECRET_0").contains(&expected), "{:?}", told("CLIENT_TRAFFIC_SECRET_0"));
    // What is said in the handshake is not known then, and the rest is.
    let said = told("SERVER_HANDSHAKE_TRAFFIC_SECRET");
    assert!(said.contains(&"server: 50 bytes in record 4".to_owned()), "{said:?}");
    assert!(!said.iter().any(|said| said.contains("Trouble")), "{said:?}");
}

const LOST: &str = "server: Lost { content: Missing { length: 205, is_exact: true }, records: 1 }";

#[test]
fn a_record_that_is_damaged_is_told_and_the_next_one_opens() {
    let mut trace = trace();
    trace[4].1[20] ^= 1;
    let said = Heard::of(secrets(""), &trace, usize::MAX).said;
    let at = said.iter().position(|said| said == "server: Trouble(NotAuthentic)").expect("it is told");
    assert_eq!(said[at + 1], LOST);
    assert!(said.contains(&"server: 50 bytes in record 4".to_owned()), "{said:?}");
}

#[test]
fn behind_a_hole_the_next_record_is_found() {
    for (from, to) in [(0, 227), (3, 227), (40, 227), (40, 200), (0, 3), (10, 12)] {
        let mut machine = Machine::default();
        let mut heard = Heard::default();
        let hear = |carried: &Carried<'_>, event: Event<'_>| {
            heard.hear(carried, event);
            ON
        };
        let known = secrets("");
        let mut hear = (&known, hear);
        for (place, (dir, bytes)) in trace().iter().enumerate() {
            if place == 4 {
                assert!(machine.push(*dir, &bytes[..from], At::default(), &mut hear).is_continue());
                assert!(machine.gap(*dir, (to - from) as u64, &mut hear).is_continue());
                assert!(machine.push(*dir, &bytes[to..], At::default(), &mut hear).is_continue());
            } else {
                assert!(machine.push(*dir, bytes, At::default(), &mut hear).is_continue());
            }
        }
        let said = &heard.said;
        assert!(said.contains(&LOST.to_owned()), "{from}–{to}: {said:?}");
        assert!(said.iter().any(|said| said.starts_with("server: 50 bytes")), "{from}–{to}: {said:?}");
    }
}

#[test]
fn nothing_that_is_cut_or_damaged_breaks_it() {
    let all: Vec<(Dir, Vec<u8>)> = trace();
    for (which, (_, bytes)) in all.iter().enumerate() {
        for at in (0..bytes.len()).step_by(7) {
            let mut cut = all.clone();
            cut[which].1.truncate(at);
            Heard::of(secrets(""), &cut, 50);
            let mut damaged = all.clone();
            damaged[which].1[at] = damaged[which].1[at].wrapping_add(0x41);
            Heard::of(secrets(""), &damaged, 500);
        }
    }
}

#[test]
fn who_is_told_can_have_enough() {
    let mut machine = Machine::default();
    let mut enough = (&secrets(""), |_: &Carried<'_>, _: Event<'_>| ControlFlow::Break(()));
    let flow = machine.push(Dir::Client, &hex(CLIENT_HELLO), At::default(), &mut enough);
    assert!(flow.is_break());
}

#[test]
fn what_is_held_is_bounded() {
    let mut machine = Machine::default();
    let mut hear = (&secrets(""), |_: &Carried<'_>, _: Event<'_>| ON);
    for (dir, bytes) in &trace()[..5] {
        assert!(machine.push(*dir, bytes, At::default(), &mut hear).is_continue());
    }
    assert!(machine.gap(Dir::Server, 1 << 30, &mut hear).is_continue());
    for _ in 0..200 {
        let flow = machine.push(Dir::Server, &[0x17; 1000], At::default(), &mut hear);
        assert!(flow.is_continue() && machine.cost() < 200_000, "{}", machine.cost());
    }
}
