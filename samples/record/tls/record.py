"""Records the scenes of `scenes.py`, one after the other, in a network namespace of its own.

    python record.py WORK OUT [NAME...]
"""

import base64
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time

from scenes import MATRIX, PROGRAMS, SCENES

WORK, OUT = map(pathlib.Path, sys.argv[1:3])
ALL = {**SCENES, **MATRIX}


def run(*command, **more):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, **more).stdout


def certificate(name, *kind):
    """A certificate that has signed itself, and its key."""
    made = [WORK / f"{name}.pem", WORK / f"{name}.key"]
    if not made[0].exists():
        run("openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", "7300", "-subj", f"/CN={name}.example",
            "-out", made[0], "-keyout", made[1])
    return [str(file) for file in made]


class Stage:
    """The programs of one scene, and the capture of what they say."""

    def __init__(self, scene):
        self.scene = scene
        self.here = WORK / "scenes" / scene.name
        shutil.rmtree(self.here, ignore_errors=True)
        self.here.mkdir(parents=True)
        self.programs = []
        ec = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        self.server_certificate = certificate("chat-ec", *ec) if scene.ecdsa else certificate("chat", "rsa:2048")
        self.client_certificate = certificate("anna", *ec)

    def start(self, *command, env=None, name):
        log = open(self.here / f"{name}.log", "wb")
        program = subprocess.Popen([str(word) for word in command], cwd=WORK, stdout=log, stderr=log,
                                   env={**os.environ, **(env or {})})
        self.programs.append(program)
        return program

    def said(self, name):
        return (self.here / f"{name}.log").read_text(errors="replace")

    def until(self, what, name):
        for _ in range(1200):
            if what():
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self.scene.name}: waited for {name} in vain: {self.said(name)[-2000:]}")

    def listening(self, port):
        wanted = f"0100007F:{port:04X} 00000000:0000 0A"
        return lambda: wanted in open("/proc/net/tcp").read()

    def capture(self):
        self.file = self.here / f"captured.{'pcapng' if self.scene.pcapng else 'pcap'}"
        what = "host 127.0.0.1 and tcp port 8443"
        if self.scene.pcapng:
            self.start("dumpcap", "-q", "-i", "lo", "-w", self.file, "-f", what, name="capture")
            self.until(lambda: "File:" in self.said("capture"), "capture")
            time.sleep(0.3)
        else:
            self.start("tcpdump", "-q", "-i", "lo", "-s", "0", "-U", "--immediate-mode", "-Z", "root",
                       "-w", self.file, what, name="capture")
            self.until(lambda: "listening" in self.said("capture"), "capture")

    def end_capture(self):
        time.sleep(1)
        for program in self.programs:
            if program.args[0] in ("tcpdump", "dumpcap"):
                program.send_signal(signal.SIGINT)
                program.wait()

    def end(self):
        for program in self.programs:
            if program.poll() is None:
                program.terminate()
                try:
                    program.wait(5)
                except subprocess.TimeoutExpired:
                    program.kill()
                    program.wait()

    def options(self, end, **more):
        scene = self.scene
        options = {**scene.options, "tls": scene.tls, "port": 8443, "log": str(self.here / f"{end}.json"),
                   "keys": str(self.here / f"{end}.keys"), **more}
        if scene.options.get("client_certificate"):
            options["client_certificate"] = self.client_certificate
        return options

    def serve(self):
        scene = self.scene
        options = self.options("server", certificate=self.server_certificate)
        if scene.server == "python":
            self.start(sys.executable, "talk.py", "server", json.dumps(options), name="server")
            ready = self.listening(8443)
        elif scene.server == "node":
            self.start("node", f"--tls-keylog={options['keys']}", "ends.mjs", "server", json.dumps(options),
                       name="server")
            ready = self.listening(8443)
        elif scene.server == "s_server":
            tls, more = scene.tls, list(scene.options.get("more", []))
            if tls.get("version") == "1.2":
                more += ["-tls1_2", "-cipher", tls["cipher"]]
            if scene.options.get("client_certificate"):
                more += ["-Verify", "1", "-CAfile", self.client_certificate[0]]
            self.start(sys.executable, "talk.py", "s_server", json.dumps({**options, "more": more}), name="server")
            ready = self.listening(8443)
        else:
            self.start(sys.executable, "talk.py", "server", json.dumps({**options, "tls": None, "port": 8080}),
                       name="server")
            self.until(self.listening(8080), "server")
            self.nginx()
            ready = self.listening(8443)
        self.until(ready, "server")

    def nginx(self):
        config = self.here / "nginx.conf"
        temporary = "".join(f"{kind}_temp_path {self.here}/{kind};\n"
                            for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
        certificate, key = self.server_certificate
        tls = self.scene.tls
        version = "TLSv1.2" if tls.get("version") == "1.2" else "TLSv1.3"
        config.write_text(textwrap.dedent(f"""
            daemon off; worker_processes 1; user root; pid {self.here}/nginx.pid;
            error_log {self.here}/nginx.log; events {{ }}
            http {{ access_log off; {temporary}
              ssl_session_cache shared:all:1m; ssl_protocols {version};
              ssl_ciphers "{tls.get("cipher", "HIGH")}";
              ssl_certificate {certificate}; ssl_certificate_key {key};
              server {{
                listen 127.0.0.1:8443 ssl; {self.scene.options.get("nginx", "")}
                location / {{
                  proxy_pass http://127.0.0.1:8080; proxy_http_version 1.1;
                  proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
                }}
              }}
            }}
        """))
        self.start("nginx", "-e", self.here / "nginx.log", "-c", config, name="nginx")

    def talk(self):
        scene = self.scene
        options = self.options("client")
        if scene.client == "python":
            program = self.start(sys.executable, "talk.py", "client", json.dumps(options), name="client")
        elif scene.client == "node":
            program = self.start("node", f"--tls-keylog={options['keys']}", "ends.mjs", "client",
                                 json.dumps(options), name="client")
        elif scene.client == "s_client":
            program = self.start(sys.executable, "talk.py", "s_client", json.dumps(self.s_client(options)),
                                 name="client")
        else:
            return self.browse(options)
        if program.wait(60) != 0:
            raise RuntimeError(f"{scene.name}: {self.said('client')[-2000:]}")

    def s_client(self, options):
        """The options of each run of `openssl s_client`."""
        scene = self.scene
        always = list(scene.options.get("s_client", []))
        if scene.tls.get("version") == "1.2":
            always += ["-tls1_2", "-cipher", scene.tls["cipher"]]
        if scene.tls.get("extended_master_secret") is False:
            always += ["-no_ems"]
        runs = [always for _ in range(scene.options.get("connections", 1))]
        if scene.options.get("resume"):
            session = str(self.here / "session.pem")
            runs = [[*always, "-sess_out", session], [*always, "-sess_in", session]]
        early = str(self.here / "early") if scene.options.get("early") else None
        return {**options, "runs": runs, "early_data": early}

    def browse(self, options):
        browser = self.start(
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--ignore-certificate-errors",
            "--disable-background-networking", "--enable-logging=stderr", "--host-resolver-rules=MAP chat.example 127.0.0.1",
            f"--user-data-dir={self.here}/profile", "--disable-features=PostQuantumKyber",
            f"file://{WORK}/page.html", env={"SSLKEYLOGFILE": options["keys"]}, name="client")
        done = re.compile(r"log ([A-Za-z0-9+/=]+) end")
        self.until(lambda: done.search(self.said("client")), "client")
        told = done.search(self.said("client"))[1]
        pathlib.Path(options["log"]).write_text(base64.b64decode(told).decode())
        browser.terminate()
        browser.wait()


def agreed(scene, file, keys):
    """What tshark makes of it: the suite, and the frames of messages."""
    tshark = ["tshark", "-r", file, "-o", f"tls.keylog_file:{keys}", "-d", "tcp.port==8443,tls",
              "-d", "tls.port==8443,http"]
    chosen = run(*tshark, "-Y", "tls.handshake.type==2", "-T", "fields", "-e", "tls.handshake.ciphersuite")
    suites = {int(number, 0) for number in re.split(r"[\s,]+", chosen.strip())}
    if scene.suite_number not in suites:
        raise RuntimeError(f"{scene.name}: {scene.suite} was not chosen, but {[hex(suite) for suite in suites]}")
    opcodes = run(*tshark, "-Y", "websocket", "-T", "fields", "-e", "websocket.opcode")
    return sum(opcode in ("1", "2") for opcode in re.split(r"[\s,]+", opcodes.strip()))


def record(scene):
    stage = Stage(scene)
    try:
        stage.serve()
        stage.capture()
        stage.talk()
        stage.until((stage.here / "server.json").exists, "server")
        stage.end_capture()
    finally:
        stage.end()
    ends = [json.loads((stage.here / f"{end}.json").read_text()) for end in ["client", "server"]]
    # Both ends must tell the same.
    mirrored = [{"sent": one["received"], "received": one["sent"]} for one in ends[1]]
    if ends[0] != mirrored:
        raise RuntimeError(f"{scene.name}: the ends tell different things: {ends}")
    keys = OUT / f"{scene.name}.keys"
    lines = (stage.here / f"{scene.keys}.keys").read_text().splitlines()
    randoms = randoms_in(stage.file)
    # A browser logs what else it connected to; of comments nothing is kept either.
    lines = [line for line in lines if line.split(" ")[1:2] and line.split(" ")[1].lower() in randoms]
    keys.write_text("".join(line + "\n" for line in lines))
    messages = agreed(scene, stage.file, keys)
    wanted = sum(len(one["sent"]) + len(one["received"]) for one in ends[0])
    # Behind early data tshark does not know what is upgraded.
    if messages < wanted and not scene.options.get("early"):
        raise RuntimeError(f"{scene.name}: tshark sees {messages} of {wanted} messages: the capture is not whole")
    kept = OUT / f"{scene.name}{stage.file.suffix}"
    shutil.copy(stage.file, kept)
    if scene.twin:
        run("editcap", "--inject-secrets", f"tls,{keys}", kept, OUT / f"{scene.name}-dsb.pcapng")
    print(f"{scene.name}: {kept.stat().st_size} bytes, {wanted} messages, of which tshark sees {messages}", flush=True)
    programs = [PROGRAMS[scene.client], PROGRAMS[scene.server]]
    return {
        "file": kept.name, "keys": keys.name, "done": scene.done, "programs": programs, "version": scene.version,
        "suite": scene.suite,
        "connections": [{"client": short(one["sent"]), "server": short(one["received"])} for one in ends[0]],
    }


def quic():
    """Chromium asks for a page over HTTP/3, where nobody answers: its first packets, which anybody can open."""
    here = WORK / "scenes" / "quic"
    shutil.rmtree(here, ignore_errors=True)
    here.mkdir(parents=True)
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 8443))
    file = OUT / "quic-chromium.pcap"
    with open(here / "log", "w") as log:
        capture = subprocess.Popen(["tcpdump", "-q", "-i", "lo", "-s", "0", "-U", "--immediate-mode", "-Z", "root", "-c", "4",
                                    "-w", str(file), "udp port 8443"], stderr=log)
    while "listening" not in (here / "log").read_text():
        time.sleep(0.05)
    browser = subprocess.Popen(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--origin-to-force-quic-on=chat.example:8443", "--host-resolver-rules=MAP chat.example 127.0.0.1",
         f"--user-data-dir={here}/profile", "https://chat.example:8443/"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    capture.wait(60)
    browser.kill()
    browser.wait()
    listener.close()
    print(f"quic-chromium: {file.stat().st_size} bytes", flush=True)


def short(messages):
    """A message that says the same again and again, as what it says and how often."""
    again = "long "
    times = lambda message: len(message.get("text", "")) // len(again)  # noqa: E731
    is_long = lambda message: times(message) > 1 and message["text"] == again * times(message)  # noqa: E731
    return [{"repeat": again, "times": times(one)} if is_long(one) else one for one in messages]


def randoms_in(file):
    """The random of each client hello, in hex, as key logs name connections."""
    told = run("tshark", "-r", file, "-d", "tcp.port==8443,tls", "-Y", "tls.handshake.type==1", "-T", "fields",
               "-e", "tls.handshake.random", "-o", f"tls.keylog_file:{file.parent}/client.keys")
    return {number.replace(":", "").lower() for number in re.split(r"[\s,]+", told.strip())}


def main():
    subprocess.run(["ip", "link", "set", "lo", "up", "mtu", "1500"], check=True)
    truth = OUT / "truth.json"
    known = {one["file"].split(".")[0]: one for one in json.loads(truth.read_text())} if truth.exists() else {}
    failed = []
    names = [*MATRIX] if sys.argv[3:] == ["matrix"] else sys.argv[3:] or [*SCENES, "quic"]
    for name in names:
        try:
            if name == "quic":
                quic()
                continue
            known[name] = record(ALL[name])
        except Exception as error:
            print(f"{name}: FAILED: {error}", flush=True)
            failed.append(name)
    ordered = [known[name] for name in ALL if name in known]
    lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in ordered)
    truth.write_text(f"[\n{lines}\n]\n")
    sys.stdout.flush()
    # What still runs ends with this process, which is the first of its namespace.
    os._exit(bool(failed))


main()
