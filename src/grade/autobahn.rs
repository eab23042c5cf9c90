//! What the Autobahn testsuite is told, and how: its configuration files, its patterns, its order of cases.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::case::Case;
use crate::model::Text;

/// What a configuration file of the Autobahn testsuite asks for.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who is graded.
    pub peers: Peers,
    /// Where reports go.
    pub outdir: String,
    /// Patterns of cases.
    cases: Vec<String>,
    /// Patterns of those that are left out.
    exclude: Vec<String>,
    /// What is left out with some agents.
    pub exclusions: Exclusions,
    /// Options that are not known, or change nothing here.
    pub ignored: Vec<String>,
}

/// Who is graded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peers {
    /// These servers (`fuzzingclient.json`).
    Servers(Vec<Server>),
    /// The clients that come (`fuzzingserver.json`).
    Clients {
        /// Where they come to: `ws://127.0.0.1:9001`.
        url: String,
        /// The file of a certificate, and of its key.
        tls: Option<[String; 2]>,
    },
}

/// A server that is graded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Server {
    /// What it is called; by its `Server` field where nothing is said.
    pub agent: Option<String>,
    /// Where it is.
    pub url: String,
    /// The name that TLS asks it for, where that is not the URL's.
    pub hostname: Option<String>,
    /// The `Origin` that it is told.
    pub origin: Option<String>,
    /// Subprotocols that it is offered.
    #[serde(default)]
    pub protocols: Vec<String>,
    /// How long connecting may take, by its options or those of the file.
    #[serde(skip)]
    pub timeout: Option<Duration>,
    #[serde(default)]
    options: Options,
}

/// Options of a file, or of a server.
type Options = serde_json::Map<String, Value>;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    outdir: Option<String>,
    cases: Vec<String>,
    #[serde(default)]
    exclude_cases: Vec<String>,
    // In the file's order, which JSON's maps here do not keep; it does not matter.
    #[serde(default)]
    exclude_agent_cases: std::collections::BTreeMap<String, Vec<String>>,
    servers: Option<Vec<Server>>,
    url: Option<String>,
    key: Option<String>,
    cert: Option<String>,
    #[serde(default)]
    options: Options,
}

/// What a file may hold, and each of its servers.
const KEYS: [&str; 9] =
    ["outdir", "cases", "exclude-cases", "exclude-agent-cases", "servers", "url", "key", "cert", "options"];
const SERVER_KEYS: [&str; 6] = ["agent", "url", "hostname", "origin", "protocols", "options"];

/// Names that a file has and nobody knows: misspelt ones, and those of other programs.
fn unknown(text: &str) -> Vec<String> {
    let file: Options = serde_json::from_str(text).unwrap_or_default();
    let servers = file.get("servers").and_then(Value::as_array).into_iter().flatten();
    let of_servers = servers.filter_map(Value::as_object).flat_map(Options::keys);
    let of_servers = of_servers.filter(|name| !SERVER_KEYS.contains(&name.as_str()));
    file.keys().filter(|name| !KEYS.contains(&name.as_str())).chain(of_servers).cloned().collect()
}

impl Config {
    /// What a fuzzing server is told where nothing is said.
    pub const SERVER: &str = r#"{
   "url": "ws://127.0.0.1:9001",
   "outdir": "./reports/clients",
   "cases": ["*"],
   "exclude-cases": [],
   "exclude-agent-cases": {}
}
"#;

    /// The same of a fuzzing client.
    pub const CLIENT: &str = r#"{
   "outdir": "./reports/servers",
   "servers": [{"url": "ws://127.0.0.1:9001"}],
   "cases": ["*"],
   "exclude-cases": [],
   "exclude-agent-cases": {}
}
"#;

    /// Reads a file. `servers` says which of the two it is meant to be, where that is known; `url` is of the
    /// server, where the file names none.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(text: &str, servers: Option<bool>, url: Option<&str>) -> Result<Self, Text> {
        let file: File = serde_json::from_str(text).map_err(|error| Text::with("{}", error))?;
        let has_servers = servers.unwrap_or(file.servers.is_some());
        let mut options = vec![file.options];
        let peers = if has_servers {
            let mut named = file.servers.unwrap_or_default();
            if let Some(url) = url.filter(|_| named.is_empty()) {
                named.push(Server { url: url.to_owned(), ..Server::default() });
            }
            if named.is_empty() {
                return Err(r#"it names no server: "servers": [{"url": "ws://127.0.0.1:9001"}]"#.into());
            }
            let of_all = timeout(&mut options[0]);
            for server in &mut named {
                let mut own = std::mem::take(&mut server.options);
                server.timeout = timeout(&mut own).or(of_all);
                options.push(own);
            }
            Peers::Servers(named)
        } else {
            let url = url.map(str::to_owned).or(file.url);
            let url = url.ok_or(
                r#"it has neither "servers", to grade them, nor "url", to grade clients that come there"#,
            )?;
            Peers::Clients { url, tls: file.cert.zip(file.key).map(|(cert, key)| [cert, key]) }
        };
        let unset = options.iter().flatten().filter(|option| !changes_nothing(option));
        let mut ignored: Vec<String> = unset.map(|(name, _)| name.clone()).chain(unknown(text)).collect();
        ignored.sort();
        ignored.dedup();
        let otherwise = if has_servers { "./reports/servers" } else { "./reports/clients" };
        Ok(Self {
            outdir: file.outdir.unwrap_or_else(|| otherwise.to_owned()),
            cases: file.cases,
            exclude: file.exclude_cases,
            exclusions: Exclusions(file.exclude_agent_cases.into_iter().collect()),
            peers,
            ignored,
        })
    }

    /// The cases that it asks for, of all there are, in their order.
    ///
    /// # Errors
    /// A case that there is not.
    pub fn choose<'c>(&self, all: &'c [Case]) -> Result<Vec<&'c Case>, Text> {
        let number = |case: &Case| case.facts.autobahn.clone();
        for id in self.cases.iter().filter(|id| !id.contains('*')) {
            if !all.iter().any(|case| number(case).as_deref() == Some(id)) {
                return Err(Text::with("the Autobahn testsuite has no case {}", id));
            }
        }
        let named = |patterns: &[String], id: &str| patterns.iter().any(|pattern| begins(pattern, id));
        let chosen = |case: &&Case| {
            number(case).is_some_and(|id| named(&self.cases, &id) && !named(&self.exclude, &id))
        };
        let mut cases: Vec<&Case> = all.iter().filter(chosen).collect();
        order(&mut cases);
        Ok(cases)
    }
}

/// Takes out how long connecting may take: seconds, 0 for ever.
fn timeout(options: &mut Options) -> Option<Duration> {
    const NAME: &str = "openHandshakeTimeout";
    let timeout = Duration::try_from_secs_f64(options.get(NAME)?.as_f64()?).ok()?;
    options.remove(NAME);
    Some(if timeout.is_zero() { FOR_EVER } else { timeout })
}

/// As long as anybody waits.
const FOR_EVER: Duration = Duration::from_hours(24);

/// Whether an option asks for what is done anyway.
fn changes_nothing((name, value): &(&String, &Value)) -> bool {
    match name.as_str() {
        // The RFC, and the drafts whose frames are its frames.
        "version" => value.as_u64().is_some_and(|version| (8..=18).contains(&version)),
        "applyMask"
        | "maskClientFrames"
        | "requireMaskedClientFrames"
        | "tcpNoDelay"
        | "utf8validateIncoming" => **value == Value::Bool(true),
        "acceptMaskedServerFrames" | "echoCloseCodeReason" | "failByDrop" | "maskServerFrames" => {
            **value == Value::Bool(false)
        }
        "autoFragmentSize" | "autoPingInterval" => value.as_u64() == Some(0),
        _ => false,
    }
}

/// What is not played with whom: patterns of agents, and of cases for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exclusions(pub Vec<(String, Vec<String>)>);

impl Exclusions {
    /// Whether a case is not played with an agent.
    pub fn has(&self, agent: &str, case: &Case) -> bool {
        let Some(id) = case.facts.autobahn.as_deref() else { return false };
        let fits = super::choose::matches;
        let of_agent = self.0.iter().filter(|(pattern, _)| fits(pattern, agent));
        of_agent.flat_map(|(_, cases)| cases).any(|pattern| fits(pattern, id))
    }
}

/// Whether a pattern fits: one with `*` need fit the beginning only, as the testsuite has it.
fn begins(pattern: &str, id: &str) -> bool {
    pattern == id || pattern.contains('*') && super::choose::matches(&format!("{pattern}*"), id)
}

/// Puts cases into the testsuite's order, by number; those that it does not have stand behind, as they are.
pub fn order(cases: &mut [&Case]) {
    cases.sort_by_cached_key(|case| match &case.facts.autobahn {
        Some(number) => {
            (false, number.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>())
        }
        None => (true, Vec::new()),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grade::load::read;

    fn cases() -> Vec<Case> {
        read(
            r#"
            chapter = "framing"
            [[case]]
            id = "own"
            title = { en = "a", zh = "a" }
            play = ""
            [[case]]
            id = "of-{n}"
            autobahn = "{n}"
            each = [{ n = "10.1.1" }, { n = "1.1.10" }, { n = "1.1.2" }, { n = "1.2.1" }, { n = "7.1.1" }]
            title = { en = "a", zh = "a" }
            play = ""
            "#,
        )
        .unwrap()
    }

    fn chosen(file: &str) -> Result<Vec<String>, String> {
        let config = Config::read(file, None, None).map_err(|why| why.to_string())?;
        let all = cases();
        let cases = config.choose(&all).map_err(|why| why.to_string())?;
        Ok(cases.iter().filter_map(|case| case.facts.autobahn.clone()).collect())
    }

    #[test]
    fn cases_are_chosen_as_the_testsuite_does() {
        let of = |lists: &str| chosen(&format!(r#"{{"url": "ws://a", {lists}}}"#));
        let ids = |ids: &[&str]| Ok(ids.iter().map(|id| (*id).to_owned()).collect());
        assert_eq!(of(r#""cases": ["*"]"#), ids(&["1.1.2", "1.1.10", "1.2.1", "7.1.1", "10.1.1"]));
        assert_eq!(of(r#""cases": ["1.*"], "exclude-cases": ["1.1.10"]"#), ids(&["1.1.2", "1.2.1"]));
        assert_eq!(of(r#""cases": ["1.1*", "7.1.1"]"#), ids(&["1.1.2", "1.1.10", "7.1.1"]));
        assert_eq!(of(r#""cases": ["*.1.1"]"#), ids(&["1.1.10", "7.1.1", "10.1.1"]), "as re.match does");
        assert_eq!(of(r#""cases": ["9.9.9"]"#), Err("the Autobahn testsuite has no case 9.9.9".to_owned()));
        let mut all: Vec<_> = Vec::new();
        let suite = cases();
        all.extend(&suite);
        order(&mut all);
        assert_eq!(all.last().unwrap().facts.id, "framing.own", "what it does not have stands behind");
    }

    #[test]
    fn both_files_are_read() {
        let client = Config::read(
            r#"{"options": {"version": 18, "failByDrop": false, "utf8validateIncoming": false,
                            "maskClientFrames": true, "openHandshakeTimeout": 2.5},
                "servers": [{"agent": "a", "url": "ws://a:1", "protocols": ["x"],
                             "options": {"version": 18, "openHandshakeTimeout": 0}},
                            {"url": "wss://b", "hostname": "c", "origin": "http://d", "name": "e"}],
                "cases": [], "exclude_cases": ["1.*"],
                "exclude-agent-cases": {"a*": ["7.*"], "b": ["1.1.2"]}}"#,
            None,
            None,
        )
        .unwrap();
        let Peers::Servers(servers) = &client.peers else { panic!("{client:?}") };
        assert_eq!(
            (servers.len(), &*servers[0].url, servers[0].agent.as_deref()),
            (2, "ws://a:1", Some("a"))
        );
        let timeouts = servers.iter().map(|server| server.timeout).collect::<Vec<_>>();
        assert_eq!(timeouts, [Some(FOR_EVER), Some(Duration::from_millis(2500))]);
        assert_eq!(
            (&*client.outdir, &*client.ignored),
            ("./reports/servers", &["exclude_cases", "name", "utf8validateIncoming"].map(str::to_owned)[..])
        );
        let all = cases();
        let with = |agent| all.iter().filter(|case| client.exclusions.has(agent, case)).count();
        assert_eq!((with("a"), with("abc"), with("b"), with("c")), (1, 1, 1, 0));
        let server = Config::read(Config::SERVER, None, None).unwrap();
        assert_eq!(server.peers, Peers::Clients { url: "ws://127.0.0.1:9001".into(), tls: None });
        let none = Config::read(r#"{"cases": ["*"]}"#, Some(true), Some("ws://x")).unwrap();
        assert!(matches!(none.peers, Peers::Servers(servers) if servers[0].url == "ws://x"));
        assert!(Config::read(Config::CLIENT, None, None).is_ok());
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        for (file, why) in [
            (r#"{"cases": ["*"]}"#, "neither \"servers\""),
            (r#"{"servers": [], "cases": ["*"]}"#, "names no server"),
            (r#"{"url": "ws://a"}"#, "cases"),
            ("{\n  // words\n}", "line 2 column 3"),
        ] {
            let said = Config::read(file, None, None).unwrap_err().to_string();
            assert!(said.contains(why), "{file}: {said}");
        }
    }
}
