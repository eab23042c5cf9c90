//! The pages of the lab: what tutorials describe, alive, with the wire beside it.
//!
//! Pages are files of HTML, CSS and JavaScript in this folder, kept in the program and served as they are,
//! but for two kinds of holes in the HTML: `{{words}}` are said in the reader's language, from the catalogue,
//! and `[[name]]` is filled with what the server knows.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::answer::for_script;
use crate::lang::Lang;

/// What no page may do: load anything from elsewhere, or run a script that is not the server's own.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                          img-src data:; connect-src 'self' ws: wss:; frame-src 'self'; base-uri 'none'; \
                          form-action 'none'";

struct Page {
    path: &'static str,
    title: &'static str,
    about: &'static str,
    body: &'static str,
    /// What its script says.
    words: &'static [(&'static str, &'static str)],
}

const PAGES: [Page; 6] = [
    Page {
        path: "/",
        title: "wstool serve",
        about: "everything the tutorials describe, alive, with the wire beside it",
        body: include_str!("start.html"),
        words: &[],
    },
    Page {
        path: "/lab/websocket",
        title: "WebSocket",
        about: "a chat over the browser's own WebSocket",
        body: include_str!("websocket.html"),
        words: &[
            ("open", "the connection is open"),
            ("clean", "after a closing handshake"),
            ("unclean", "without a closing handshake"),
            ("error", "something went wrong, and scripts are not told what"),
        ],
    },
    Page {
        path: "/lab/socketio",
        title: "Socket.IO",
        about: "the chat of its tutorial: polling first, then the move to a WebSocket",
        body: include_str!("socketio.html"),
        words: &[
            ("connecting", "connecting"),
            ("connected", "connected"),
            ("over", "not connected"),
            ("joined", "{} has joined"),
            ("left", "{} has left"),
        ],
    },
    Page {
        path: "/lab/tcp",
        title: "TCP",
        about: "the chat without frames: what WebSocket adds to a stream of bytes",
        body: include_str!("tcp.html"),
        words: &[],
    },
    Page {
        path: "/lab/polling",
        title: "polling, streaming",
        about: "how servers reached browsers before WebSocket, and what each way costs",
        body: include_str!("polling.html"),
        words: &[
            ("short", "short polling"),
            ("long", "long polling"),
            ("events", "server-sent events"),
            ("multipart", "multipart stream"),
            ("jsonp", "JSONP polling"),
            ("forever", "forever iframe"),
            ("socket", "WebSocket"),
        ],
    },
    Page {
        path: "/lab/playground",
        title: "playground",
        about: "type bytes or set bits, and see what a receiver says",
        body: include_str!("playground.html"),
        words: &[
            ("hello", "Hello from a server"),
            ("masked", "the same from a client, masked"),
            ("unmasked", "a client that does not mask"),
            ("fragments", "a message in two fragments"),
            ("close", "a Close frame"),
            ("longPing", "a ping that is too long"),
            ("utf8", "text that is no UTF-8"),
            ("reserved", "a reserved opcode"),
            ("form", "a length in a longer form than it needs"),
        ],
    },
];

/// The page on which a browser is graded. It is on a server of its own: `wstool grade --listen`.
const GRADE: Page = Page {
    path: "/",
    title: "wstool grade",
    about: "this browser's own WebSocket, held against the RFCs case by case",
    body: include_str!("grade.html"),
    words: &[
        ("pass", "pass"),
        ("non-strict", "non-strict"),
        ("fail", "fail"),
        ("unimplemented", "unimplemented"),
        ("informational", "informational"),
        ("waiting", "not played yet"),
        ("playing", "playing"),
        ("progress", "{} of {} cases"),
        ("done", "{} cases in {} s"),
        ("lost", "the server is gone: start wstool grade --listen again, then this page"),
        ("nothing", "Nothing to mend so far."),
    ],
};

/// What is around a page, and what chats have in common.
const FRAME: &str = include_str!("frame.html");
const TALK: &str = include_str!("talk.html");

/// The look of the panel, and the way to the other pages.
const LOOK: &str = r#"<link rel="stylesheet" href="/lab/panel.css">"#;
const NAV: &str = r#"<nav aria-label="{{Pages}}">[[pages]]</nav>"#;

/// The panel beside a page.
const WIRE: &str = r#"<section class="beside"[[live]] aria-label="{{the wire}}">
<h2>{{the wire}}</h2>
[[whose]]
<p class="note typed">{{what a receiver says: point at a byte or at a line}}</p>
<div id="wire"[[live]]></div>
</section>
<script type="application/json" id="wire-words">[[wirewords]]</script>
<script type="module" src="/lab/wire.js"></script>"#;

/// Whose connections a panel shows.
const OF_PAGE: &str =
    r#"<p class="note live">{{this page's own connections, byte by byte: point at a byte or at a line}}</p>"#;
const OF_ALL: &str =
    r#"<p class="note live">{{the connections of all who join by TCP: open a line to see its bytes}}</p>"#;

/// What is served as it is: its path, its type, its content.
const ASSETS: &[(&str, &str, &str)] = &[
    ("/lab/base.css", "text/css", include_str!("base.css")),
    ("/lab/common.js", "text/javascript", include_str!("common.js")),
    ("/lab/websocket.js", "text/javascript", include_str!("websocket.js")),
    ("/lab/socketio.js", "text/javascript", include_str!("socketio.js")),
    ("/lab/socketio-client.js", "text/javascript", include_str!("socketio-client.js")),
    ("/lab/tcp.js", "text/javascript", include_str!("tcp.js")),
    ("/lab/wire.js", "text/javascript", include_str!("wire.js")),
    ("/lab/polling.js", "text/javascript", include_str!("polling.js")),
    ("/lab/playground.js", "text/javascript", include_str!("playground.js")),
];

/// The same for the page on which a browser is graded.
const GRADE_ASSETS: &[(&str, &str, &str)] = &[
    ("/lab/base.css", "text/css", include_str!("base.css")),
    ("/lab/grade.css", "text/css", include_str!("grade.css")),
    ("/lab/common.js", "text/javascript", include_str!("common.js")),
    ("/lab/grade.js", "text/javascript", include_str!("grade.js")),
];

/// What a page is told of the server it comes from.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The reader's language.
    pub lang: Lang,
    /// Whether the reader asked for it by name, so that links keep it.
    pub named: bool,
    /// Where the server listens.
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub secure: bool,
    /// The words of the wire panel, as JSON.
    pub panel: &'a str,
}

/// A file that is served as it is: its type and its content.
pub fn asset(path: &str) -> Option<(&'static str, &'static str)> {
    ASSETS.iter().find(|(known, ..)| *known == path).map(|(_, kind, content)| (*kind, *content))
}

/// The same of the page on which a browser is graded.
pub fn grade_asset(path: &str) -> Option<(&'static str, &'static str)> {
    GRADE_ASSETS.iter().find(|(known, ..)| *known == path).map(|(_, kind, content)| (*kind, *content))
}

/// The reader's language, and whether it was asked for by name: `named` in the query, or else the first of
/// those that the browser asks for (RFC 9110 §12.5.4).
pub fn language(named: Option<&str>, asked: Option<&str>, otherwise: Lang) -> (Lang, bool) {
    if let Some(lang) = named.and_then(|code| code.parse().ok()) {
        return (lang, true);
    }
    let first = asked.and_then(|list| list.split([',', ';']).next()).map(str::trim);
    let known = |tag: &str| Lang::of_locale(&tag.replace('-', "_"));
    (first.filter(|tag| !tag.is_empty() && *tag != "*").map_or(otherwise, known), false)
}

/// The page on which a browser is graded, in the reader's language.
pub fn grade(site: &Site<'_>) -> String {
    whole(&GRADE, [r#"<link rel="stylesheet" href="/lab/grade.css">"#, ""], site)
}

/// A page in the reader's language.
pub fn page(path: &str, site: &Site<'_>) -> Option<String> {
    let page = PAGES.iter().find(|page| page.path == path)?;
    let lang = site.lang;
    let query = site.query();
    let mut links = String::new();
    for other in &PAGES {
        let here = if other.path == path { " aria-current=\"page\"" } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(links, "<a href=\"{}{query}\"{here}>{}</a> ", other.path, lang.words(other.title));
    }
    Some(whole(page, [LOOK, &NAV.replace("[[pages]]", &links)], site))
}

/// What joins the raw chat from a terminal.
pub fn raw(address: SocketAddr, secure: bool) -> String {
    if secure {
        format!("openssl s_client -quiet -connect {address}")
    } else {
        format!("nc {} {}", address.ip(), address.port())
    }
}

/// A page and what is around it.
fn whole(page: &Page, [look, nav]: [&str; 2], site: &Site<'_>) -> String {
    let (lang, path, query) = (site.lang, page.path, site.query());
    let other = if lang == Lang::En { Lang::Zh } else { Lang::En };
    let words: serde_json::Map<_, _> =
        page.words.iter().map(|(key, words)| ((*key).to_owned(), lang.words(words).into())).collect();
    let words = for_script(&serde_json::Value::Object(words).to_string());
    let (http, ws) = if site.secure { ("https", "wss") } else { ("http", "ws") };
    let address = site.address;
    let parts = [
        ("[[look]]", look),
        ("[[nav]]", nav),
        ("[[body]]", page.body),
        ("[[talk]]", TALK),
        ("[[wire]]", WIRE),
        ("[[whose]]", if path == "/lab/tcp" { OF_ALL } else { OF_PAGE }),
    ];
    let text = parts.iter().fold(FRAME.to_owned(), |text, (hole, with)| text.replace(hole, with));
    let text = said(&text, lang);
    let filled = [
        ("[[lang]]", lang.code()),
        ("[[title]]", lang.words(page.title)),
        ("[[about]]", lang.words(page.about)),
        ("[[query]]", &query),
        ("[[words]]", &words),
        ("[[live]]", if path == "/lab/playground" { "" } else { " data-live" }),
        ("[[wirewords]]", &for_script(site.panel)),
        ("[[other]]", &format!("{path}?lang={}", other.code())),
        ("[[otherlang]]", other.code()),
        ("[[othername]]", if other == Lang::En { "English" } else { "中文" }),
        ("[[http]]", &format!("{http}://{address}")),
        ("[[ws]]", &format!("{ws}://{address}")),
        ("[[raw]]", &raw(address, site.secure)),
    ];
    filled.into_iter().fold(text, |text, (hole, with)| text.replace(hole, with))
}

impl Site<'_> {
    /// What keeps the language in links.
    fn query(&self) -> String {
        if self.named { format!("?lang={}", self.lang.code()) } else { String::new() }
    }
}

/// A page with its words in a language, safe within markup.
fn said(text: &'_ str, lang: Lang) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, (words, after))) =
        rest.split_once("{{").and_then(|(before, rest)| Some((before, rest.split_once("}}")?)))
    {
        out.push_str(before);
        let said = lang.catalogue().and_then(|catalogue| catalogue.get(words)).unwrap_or(words);
        for letter in said.chars() {
            match letter {
                '<' => out.push_str("&lt;"),
                '&' => out.push_str("&amp;"),
                '"' => out.push_str("&quot;"),
                letter => out.push(letter),
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Titles that are names, in every language.
const NAMES: [&str; 5] = ["wstool serve", "wstool grade", "WebSocket", "Socket.IO", "TCP"];

/// All words of the pages, as the catalogue has them.
pub fn words() -> impl Iterator<Item = &'static str> {
    let holes =
        |text: &'static str| text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|it| it.0);
    let pages = || PAGES.iter().chain([&GRADE]);
    let said = pages().flat_map(|page| {
        [page.title, page.about].into_iter().chain(page.words.iter().map(|(_, words)| *words))
    });
    let bodies = pages().map(|page| page.body).chain([NAV, FRAME, TALK, WIRE, OF_PAGE, OF_ALL]);
    said.chain(bodies.flat_map(holes)).filter(|words| !NAMES.contains(words))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn site(lang: Lang) -> Site<'static> {
        Site { lang, named: true, address: (Ipv4Addr::LOCALHOST, 9000).into(), secure: false, panel: "{}" }
    }

    #[test]
    fn every_page_is_whole_in_every_language() {
        for lang in [Lang::En, Lang::Zh] {
            for known in &PAGES {
                let text = page(known.path, &site(lang)).unwrap();
                for hole in ["{{", "}}", "[[", "]]"] {
                    assert!(!text.contains(hole), "{}: {hole}", known.path);
                }
                assert!(text.contains(&format!("<html lang=\"{}\">", lang.code())));
                assert!(!text.contains("http://") || text.contains("http://127.0.0.1:9000"));
            }
        }
    }

    #[test]
    fn who_joins_by_tcp_is_told_of_tls() {
        for (secure, command) in
            [(false, "nc 127.0.0.1 9000"), (true, "openssl s_client -quiet -connect 127.0.0.1:9000")]
        {
            for path in ["/", "/lab/tcp"] {
                let text = page(path, &Site { secure, ..site(Lang::En) }).unwrap();
                assert!(text.contains(command), "{path}: {text}");
            }
        }
    }

    #[test]
    fn every_word_has_a_translation() {
        let catalogue = Lang::Zh.catalogue().unwrap();
        let missing: Vec<&str> = words().filter(|words| catalogue.get(words).is_none()).collect();
        assert!(missing.is_empty(), "{missing:#?}");
    }

    /// What a page asks for is there, and nothing comes from elsewhere.
    #[test]
    fn nothing_is_loaded_that_is_not_served() {
        for known in &PAGES {
            let text = page(known.path, &site(Lang::En)).unwrap();
            for attribute in ["src=\"", "href=\""] {
                for found in text.split(attribute).skip(1) {
                    let (url, _) = found.split_once('"').unwrap();
                    let path = url.split('?').next().unwrap();
                    let is_there = path == "data:,"
                        || ["/lab/panel.css", "/lab/panel.js"].contains(&path)
                        || asset(path).is_some()
                        || PAGES.iter().any(|page| page.path == path);
                    assert!(is_there, "{}: {url}", known.path);
                }
            }
        }
    }

    #[test]
    fn words_cannot_break_markup() {
        assert_eq!(
            said("a {{<policy-file-request/> \"x\" & y}} b", Lang::En),
            "a &lt;policy-file-request/> &quot;x&quot; &amp; y b"
        );
    }
}
