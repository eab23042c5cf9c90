//! Completions in the shells themselves. A shell that is not installed is left out, and named.
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A folder with the completion script and a capture to complete.
fn place(shell: &str) -> PathBuf {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("completions").join(shell);
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).expect("there is room");
    let script = Command::new(env!("CARGO_BIN_EXE_wstool"))
        .args(["--lang", "en", "completions", shell])
        .stdin(Stdio::null())
        .output()
        .expect("the binary was built");
    fs::write(place.join("script"), script.stdout).expect("there is room");
    fs::write(place.join("trouble.pcap"), "").expect("there is room");
    place
}

/// What a shell prints, run where the script is; `None` where there is no such shell.
fn run(shell: &str, args: &[&str], commands: &str) -> Option<String> {
    let place = place(shell);
    let mut command = Command::new(shell);
    command.args(args).arg(commands).current_dir(&place).env("HOME", &place).env("TERM", "xterm");
    match command.stdin(Stdio::null()).output() {
        Ok(Output { stdout, stderr, .. }) => {
            Some(String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
        }
        Err(error) => {
            eprintln!("{shell} is not tried: {error}");
            None
        }
    }
}

/// What is completed, and some of what is proposed, or not.
const CASES: [(&str, &[&str], &[&str]); 7] = [
    ("wstool --lang ", &["en", "zh"], &["trouble.pcap"]),
    ("wstool decode -o ", &["close", "ping"], &["trouble.pcap"]),
    ("wstool decode --opcode ", &["close", "continuation"], &["trouble.pcap"]),
    ("wstool decode --view ", &["table", "stats"], &["trouble.pcap"]),
    ("wstool replay --break ", &["accept", "version"], &["trouble.pcap"]),
    ("wstool explain unmasked-c", &["unmasked-client-frame"], &["trouble.pcap"]),
    ("wstool explain 100", &["1001", "1006"], &["trouble.pcap"]),
];

fn check(shell: &str, complete: impl Fn(&str) -> Option<String>) {
    for (line, proposed, not) in CASES {
        let Some(said) = complete(line) else { return };
        let words: Vec<&str> = said.split_whitespace().collect();
        for word in proposed {
            assert!(words.contains(word), "{shell}: {line}: no {word} in {said}");
        }
        for word in not {
            assert!(!words.contains(word), "{shell}: {line}: {word} in {said}");
        }
    }
    // An input is a file, and no option is put in its place.
    for line in ["wstool decode ", "wstool decode tr", "wstool decode --view table ", "wstool tr"] {
        let said = complete(line).expect("the shell is there");
        let words: Vec<&str> = said.split_whitespace().collect();
        assert!(words.contains(&"trouble.pcap"), "{shell}: {line}: {said}");
        assert!(words.iter().all(|word| !word.starts_with('-')), "{shell}: {line}: {said}");
    }
}

/// As bash does it: what the function proposes, and files where that is nothing.
#[test]
fn in_bash() {
    check("bash", |line| {
        let commands = format!(
            "source ./script\n\
             complete -p wstool | grep -q -- '-o default' || echo 'no files'\n\
             line='{line}'; COMP_WORDS=($line); [[ $line == *' ' ]] && COMP_WORDS+=('')\n\
             COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMP_LINE=$line; COMP_POINT=${{#line}}\n\
             _wstool wstool \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\n\
             [[ ${{#COMPREPLY[@]}} -eq 0 ]] && COMPREPLY=($(compgen -f -- \"${{COMP_WORDS[COMP_CWORD]}}\"))\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
        );
        run("bash", &["--norc", "-c"], &commands)
    });
}

/// An interactive zsh at a terminal of its own, in which Tab is pressed.
#[test]
fn in_zsh() {
    check("zsh", |line| {
        // Each line is typed by itself; what is proposed is printed, and then that this is all.
        let typed = [
            "PS1=; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -u -D",
            "source ./script; compdef _wstool wstool; LISTMAX=10000",
            "e() { local all=(); builtin compadd -O all \"$@\"; print -rl - $all; builtin compadd \"$@\"; }",
            "shown() { print; compadd() { e \"$@\" }; _main_complete; print \"<\"end\">\" }",
            "zle -C shown list-choices shown; bindkey \"^I\" shown; print \"<\"ready\">\"",
        ];
        let typed = typed.map(|line| format!("zpty -w z '{line}'\n")).concat();
        let hear = "hear() { local said; REPLY=''; while zpty -r -m z said \"*$1*\"; do REPLY+=$said; \
                    [[ $REPLY == *$1* ]] && break; done }\n";
        let commands = format!(
            "zmodload zsh/zpty\n{hear}zpty z zsh -f -i\n{typed}hear '<ready>'\n\
             zpty -w -n z $'{line}\\t'\nhear '<end>'\nprint -r -- $REPLY\nzpty -d z\n"
        );
        run("zsh", &["-f", "-c"], &commands).map(|said| {
            // What was typed is said again.
            let said = said.replace('\r', "\n");
            said.lines().filter(|said| !said.contains("wstool ")).collect::<Vec<_>>().join("\n")
        })
    });
}

#[test]
fn in_fish() {
    check("fish", |line| {
        let said = run("fish", &["--no-config", "-c"], &format!("source ./script; complete -C '{line}'"))?;
        // Each with its description behind a tab.
        Some(said.lines().filter_map(|line| line.split('\t').next()).collect::<Vec<_>>().join("\n"))
    });
}
