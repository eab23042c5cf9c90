//! The Chrome `DevTools` protocol: commands with an id, their results, and events, of the browser or of one
//! of its targets, which a session stands for.

use super::dialect::{Decoder, Dialect, Reader, Said, Sheet};
use super::excerpt::clipped;
use super::glance::METHOD;
use super::json::{self, Object};
use super::jsonrpc::failure;
use super::pending::{Id, Pending, Request, Requests};
use crate::model::{Answer, App, Cite, Dir, Failure, Finding, Text, fields, rules};

/// The Chrome `DevTools` protocol, which Chromium, Node.js and Deno speak.
pub static DIALECT: Dialect = Dialect {
    id: "devtools",
    subprotocols: &[],
    looks_like: Some(looks_like),
    first: b"{ \t\n\x0C\r",
    last: &[],
    marks: METHOD,
    target: Some(is_target),
    fields: FIELDS,
    rules: RULES,
    reader: Reader::Session(|| Box::<DevTools>::default()),
    sheet: Sheet {
        name: "Chrome DevTools Protocol",
        shown_by: "a target `/devtools/page/ID` or `/devtools/browser/ID`; a `method` that it is known \
                   by, such as `Runtime.enable`",
        decoded: "method, id, session, parameters, result and error; commands tied to their results by id \
                  and session, crashed and detached targets",
        sample: "devtools.pcap.gz",
        source: ("Chrome DevTools Protocol", "https://chromedevtools.github.io/devtools-protocol/"),
    },
};

const CITE: Cite = Cite { doc: "Chrome DevTools Protocol", section: "Messages" };

fields! {
    /// The fields of the `DevTools` protocol.
    FIELDS;
    ID = "devtools.id", "id", CITE, "Ties a result to its command.";
    SESSION = "devtools.session_id", "sessionId", CITE, "The session of the target that it is about.";
    METHOD_AT = "devtools.method", "method", CITE, "A command, or an event that happened; its domain first.";
    PARAMS = "devtools.params", "params", CITE, "The command's parameters, or what the event says.";
    RESULT = "devtools.result", "result", CITE, "What the command returned.";
    ERROR = "devtools.error", "error", CITE, "Why the command failed: code and message.";
}

rules! {
    /// The rules of the `DevTools` protocol.
    RULES;
    BAD_MESSAGE = "devtools-bad-message", Error, CITE, Either,
        "Not a message of the DevTools protocol",
        "The browser answers with an error (-32700 or -32600); a client fails or drops it.";
    CRASHED = "devtools-target-crashed", Warning, CITE, Server,
        "A target of the browser crashed",
        "Its commands are not answered any more until it is loaded again.",
        usually "the page took too much memory, /dev/shm is too small in a container, or a defect of the \
                 browser",
        mend "start the browser with --disable-dev-shm-usage or give the container more shared memory";
    DETACHED = "devtools-detached", Note, CITE, Server,
        "The browser detached the client from its target",
        "Commands for it are not answered any more.",
        usually "the target was closed, or somebody else opened the developer tools on it",
        mend "attach again, if the target is still there";
    UNKNOWN_COMMAND = "devtools-unknown-command", Warning, CITE, Client,
        "A command that the browser does not know",
        "The browser answers with the error -32601.",
        usually "the client was written for another version of the browser, or the command is one of the \
                 browser's and not of a page's target",
        mend "compare with /json/protocol of this very browser";
}

/// `/devtools/page/ID`, `/devtools/browser/ID`.
fn is_target(path: &str, query: &str) -> bool {
    let is_in = |part: &str| part.contains("/devtools/page/") || part.contains("/devtools/browser/");
    is_in(path) || is_in(query)
}

/// Domains of browsers and of the inspectors of JavaScript runtimes, in order.
const DOMAINS: &[&str] = &[
    "Accessibility",
    "Animation",
    "Audits",
    "Browser",
    "CSS",
    "Console",
    "DOM",
    "DOMDebugger",
    "DOMSnapshot",
    "DOMStorage",
    "Debugger",
    "Emulation",
    "Fetch",
    "HeadlessExperimental",
    "HeapProfiler",
    "IO",
    "IndexedDB",
    "Input",
    "Inspector",
    "LayerTree",
    "Log",
    "Memory",
    "Network",
    "NodeRuntime",
    "NodeTracing",
    "NodeWorker",
    "Overlay",
    "Page",
    "Performance",
    "Profiler",
    "Runtime",
    "Security",
    "ServiceWorker",
    "Storage",
    "SystemInfo",
    "Target",
    "Tethering",
    "Tracing",
];

/// Commands and events that are frequent, by their domain.
const KNOWN: &[(&str, &str)] = &[
    ("Browser", "getVersion getWindowForTarget setDownloadBehavior"),
    ("CSS", "getComputedStyleForNode getMatchedStylesForNode styleSheetAdded"),
    ("Console", "messageAdded"),
    (
        "DOM",
        "describeNode documentUpdated getBoxModel getDocument querySelector querySelectorAll resolveNode",
    ),
    (
        "Debugger",
        "getScriptSource scriptParsed setAsyncCallStackDepth setBlackboxPatterns \
         setBreakpointByUrl setPauseOnExceptions stepInto stepOut stepOver",
    ),
    ("Emulation", "setDeviceMetricsOverride setEmulatedMedia setFocusEmulationEnabled setUserAgentOverride"),
    ("Fetch", "continueRequest failRequest fulfillRequest requestPaused"),
    ("HeapProfiler", "addHeapSnapshotChunk collectGarbage takeHeapSnapshot"),
    ("Input", "dispatchKeyEvent dispatchMouseEvent dispatchTouchEvent insertText"),
    ("Inspector", "detached targetCrashed targetReloadedAfterCrash"),
    ("Log", "entryAdded startViolationsReport"),
    (
        "Network",
        "dataReceived emulateNetworkConditions getCookies getResponseBody loadingFailed loadingFinished \
         requestServedFromCache requestWillBeSent requestWillBeSentExtraInfo responseReceived \
         responseReceivedExtraInfo setCacheDisabled setExtraHTTPHeaders setUserAgentOverride \
         webSocketClosed webSocketCreated webSocketFrameReceived webSocketFrameSent",
    ),
    (
        "Page",
        "addScriptToEvaluateOnNewDocument captureScreenshot createIsolatedWorld domContentEventFired \
         frameAttached frameDetached frameNavigated frameStartedLoading frameStoppedLoading getFrameTree \
         getLayoutMetrics getResourceTree javascriptDialogOpening lifecycleEvent loadEventFired printToPDF \
         screencastFrame screencastFrameAck setLifecycleEventsEnabled startScreencast",
    ),
    ("Performance", "getMetrics"),
    ("Profiler", "consoleProfileFinished setSamplingInterval startPreciseCoverage takePreciseCoverage"),
    (
        "Runtime",
        "addBinding bindingCalled callFunctionOn compileScript consoleAPICalled evaluate exceptionThrown \
         executionContextCreated executionContextDestroyed executionContextsCleared getProperties \
         releaseObject releaseObjectGroup runIfWaitingForDebugger",
    ),
    ("Storage", "clearDataForOrigin getCookies setCookies"),
    (
        "Target",
        "attachToTarget attachedToTarget createBrowserContext createTarget detachedFromTarget \
         getBrowserContexts getTargetInfo getTargets setAutoAttach setDiscoverTargets targetCrashed \
         targetCreated targetDestroyed targetInfoChanged",
    ),
    ("Tracing", "bufferUsage dataCollected tracingComplete"),
];

fn looks_like(said: &Said<'_>) -> bool {
    said.bears(b"{", METHOD)
}

/// What is remembered of a connection.
#[derive(Debug, Default)]
struct DevTools {
    /// Commands without a result; each with the session it is of.
    pending: Pending<Option<Box<str>>>,
}

impl Decoder for DevTools {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if !said.is_whole() {
            self.pending.lost(said.dir);
            return None;
        }
        if !said.known && !said.expected && !looks_like(said) {
            return None;
        }
        let Some(object) = said.as_json().and_then(Object::read) else {
            found.push(said.broken(&BAD_MESSAGE, "an object with id or method".into()));
            return None;
        };
        let method = object.string("method");
        let id = object.get("id").filter(|id| id.parse::<i64>().is_ok());
        let error = object.get("error");
        let is_ours = match (&method, said.dir) {
            // Somebody else's protocol has a method, too.
            (Some(method), dir) => {
                let is_known = said.known || said.expected || is_known(method);
                is_known
                    && method.contains('.')
                    && object.get("jsonrpc").is_none()
                    && (id.is_some() || dir == Dir::Server)
            }
            (None, Dir::Server) => {
                (said.known || said.expected)
                    && (id.is_some() || error.is_some())
                    && (error.is_some() || object.get("result").is_some())
            }
            (None, Dir::Client) => false,
        };
        if !is_ours {
            let expected = match said.dir {
                Dir::Client => "an object with id, a number, and method, Domain.command",
                Dir::Server => "an object with id and result or error, or with method",
            };
            found.push(said.broken(&BAD_MESSAGE, expected.into()));
            return None;
        }
        let mut fields = Vec::new();
        for (def, name) in [
            (&ID, "id"),
            (&METHOD_AT, "method"),
            (&SESSION, "sessionId"),
            (&PARAMS, "params"),
            (&RESULT, "result"),
            (&ERROR, "error"),
        ] {
            fields.extend(object.get(name).map(|literal| said.literal(def, literal)));
        }
        let failed = error.map(failure);
        let summary = match (&method, id) {
            (Some(method), Some(id)) => Text::with("{}, command {}", clipped(method)).and(id),
            (Some(method), None) => Text::with("{}, event", clipped(method)),
            (None, id) => {
                let id = id.unwrap_or("null");
                match &failed {
                    Some(failed) => {
                        let words = failed.message.as_deref().or(failed.code.as_deref()).unwrap_or_default();
                        Text::with("error {}, command {}", words).and(id)
                    }
                    None => Text::with("result, command {}", id),
                }
            }
        };
        if let (Some(method), Dir::Server) = (&method, said.dir) {
            tell(said, &object, method, found);
        }
        let answers = self.tie(said, &object, (id, method.as_deref()), failed);
        if let (Some(answer), Some(error)) = (&answers, error)
            && answer.failure.as_ref().and_then(|it| it.code.as_deref()) == Some("-32601")
        {
            let got = Text::with("{}", &answer.what);
            let expected = "a command of this browser's".into();
            found.push(Finding::new(&UNKNOWN_COMMAND, Dir::Client, expected, got).at(said.span_of(error)));
        }
        Some(App { protocol: "devtools", name: "DevTools", summary, fields, answers, ..App::default() })
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut self.pending)
    }
}

impl DevTools {
    /// Remembers a command, or finds the one whose result this is.
    fn tie(
        &mut self,
        said: &Said<'_>,
        object: &Object<'_>,
        (id, method): (Option<&str>, Option<&str>),
        failed: Option<Failure>,
    ) -> Option<Answer> {
        let (now, id) = (said.moment(), Id::text(id?)?);
        let extra = object.string("sessionId").map(String::into_boxed_str);
        if said.dir == Dir::Client {
            let what = clipped(method?).into_owned();
            self.pending.begin(said.dir, now, Request { id, what, extra, ..Request::default() });
            return None;
        }
        let is_it = |asked: &Request<Option<Box<str>>>| asked.id == id && asked.extra == extra;
        self.pending.answer(said.dir, now, is_it, failed)
    }
}

/// Events that say what went wrong.
fn tell(said: &Said<'_>, object: &Object<'_>, method: &str, found: &mut Vec<Finding>) {
    let rule = match method {
        "Inspector.targetCrashed" | "Target.targetCrashed" => &CRASHED,
        "Inspector.detached" => &DETACHED,
        _ => return,
    };
    let params = object.object("params");
    let of = |name: &str| params.as_ref().and_then(|params| params.get(name));
    let words = |name: &str| of(name).and_then(json::string).unwrap_or_default();
    let got = match method {
        "Inspector.detached" => clipped(&words("reason")).into_owned(),
        "Target.targetCrashed" => {
            format!("{} {}", clipped(&words("status")), of("errorCode").unwrap_or_default())
        }
        _ => method.to_owned(),
    };
    let got = Text::with("{}", got);
    found.push(Finding::new(rule, said.dir, "a target that goes on".into(), got).at(said.span()));
}

/// Whether a method is one of those by which the protocol is known: others have methods of the domains `Page`
/// or `Runtime`, too, but not these.
fn is_known(method: &str) -> bool {
    let Some((domain, name)) = method.split_once('.') else { return false };
    matches!(name, "enable" | "disable") && DOMAINS.binary_search(&domain).is_ok()
        || KNOWN.iter().any(|(known, names)| *known == domain && names.split(' ').any(|it| it == name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::heard;
    use Dir::{Client, Server};

    /// The summary of each message and what it answers, and the rules that are broken.
    fn read(messages: &[(Dir, &str)]) -> (Vec<String>, Vec<&'static str>) {
        heard::lines(&mut DevTools::default(), messages, |i, said| Said { known: i > 0, ..said })
    }

    const ENABLE: (Dir, &str) = (Client, r#"{"id":1,"method":"Page.enable","sessionId":"A"}"#);

    #[test]
    fn ids_count_by_session() {
        assert!(DOMAINS.is_sorted());
        let (lines, found) = read(&[
            ENABLE,
            (Client, r#"{"id":1,"method":"Runtime.enable","sessionId":"B","params":{}}"#),
            (Server, r#"{"method":"Page.loadEventFired","params":{"timestamp":1.5},"sessionId":"A"}"#),
            (Server, r#"{"id":1,"result":{},"sessionId":"B"}"#),
            (Server, r#"{"id":1,"error":{"code":-32000,"message":"Not allowed"},"sessionId":"A"}"#),
        ]);
        let expected = [
            "Page.enable, command 1",
            "Runtime.enable, command 1",
            "Page.loadEventFired, event",
            "result, command 1 < Runtime.enable",
            "error Not allowed, command 1 < Page.enable",
        ];
        assert_eq!(lines, expected);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn what_is_somebody_elses() {
        for wire in [
            r#"{"id":1,"method":"sum","params":[1,2]}"#,
            r#"{"id":1,"method":"Room.enter"}"#,
            r#"{"id":1,"method":"Page.open","params":{}}"#,
            r#"{"id":1,"method":"Runtime.start"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"Page.enable"}"#,
            r#"{"id":1,"result":{}}"#,
            r#"{"method":"Page.enable"}"#,
        ] {
            assert_eq!(read(&[(Client, wire)]).0, ["-"], "{wire}");
        }
    }

    #[test]
    fn what_breaks_the_rules() {
        let unknown =
            r#"{"id":1,"error":{"code":-32601,"message":"'Page.enable' wasn't found"},"sessionId":"A"}"#;
        for (message, rule) in [
            ((Client, "[]"), "devtools-bad-message"),
            ((Client, r#"{"id":"2","method":"Page.enable"}"#), "devtools-bad-message"),
            ((Server, r#"{"method":"Inspector.targetCrashed","params":{}}"#), "devtools-target-crashed"),
            (
                (Server, r#"{"method":"Inspector.detached","params":{"reason":"target_closed"}}"#),
                "devtools-detached",
            ),
            ((Server, unknown), "devtools-unknown-command"),
        ] {
            assert_eq!(read(&[ENABLE, message]).1, [rule], "{message:?}");
        }
    }
}
