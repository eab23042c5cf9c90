"""What is recorded: who speaks to whom, and how TLS is spoken between them.

Each scene says what it shows (`done`), which ends play (`server`, `client`: a program and its options), whose
key log is kept, and what of TLS must have been agreed (`version`, `suite`, by tshark's word).
"""

from dataclasses import dataclass, field

# RFC 8446 §B.4.
SUITES_13 = {
    "TLS_AES_128_GCM_SHA256": 0x1301,
    "TLS_AES_256_GCM_SHA384": 0x1302,
    "TLS_CHACHA20_POLY1305_SHA256": 0x1303,
}
# The names of OpenSSL, and the numbers of RFC 5246 §A.5, 5288, 5289 and 7905.
ECDHE_RSA = {
    "ECDHE-RSA-AES128-GCM-SHA256": ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0xC02F),
    "ECDHE-RSA-AES256-GCM-SHA384": ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", 0xC030),
    "ECDHE-RSA-CHACHA20-POLY1305": ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", 0xCCA8),
    "ECDHE-RSA-AES128-SHA": ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", 0xC013),
    "ECDHE-RSA-AES256-SHA": ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", 0xC014),
    "ECDHE-RSA-AES128-SHA256": ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", 0xC027),
    "ECDHE-RSA-AES256-SHA384": ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", 0xC028),
}
ECDHE_ECDSA = {
    "ECDHE-ECDSA-AES128-GCM-SHA256": ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", 0xC02B),
    "ECDHE-ECDSA-AES256-GCM-SHA384": ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", 0xC02C),
    "ECDHE-ECDSA-CHACHA20-POLY1305": ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", 0xCCA9),
    "ECDHE-ECDSA-AES128-SHA": ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", 0xC009),
    "ECDHE-ECDSA-AES256-SHA": ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", 0xC00A),
    "ECDHE-ECDSA-AES128-SHA256": ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", 0xC023),
    "ECDHE-ECDSA-AES256-SHA384": ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", 0xC024),
}
RSA = {
    "AES128-GCM-SHA256": ("TLS_RSA_WITH_AES_128_GCM_SHA256", 0x009C),
    "AES256-GCM-SHA384": ("TLS_RSA_WITH_AES_256_GCM_SHA384", 0x009D),
    "AES128-SHA": ("TLS_RSA_WITH_AES_128_CBC_SHA", 0x002F),
    "AES256-SHA": ("TLS_RSA_WITH_AES_256_CBC_SHA", 0x0035),
    "AES128-SHA256": ("TLS_RSA_WITH_AES_128_CBC_SHA256", 0x003C),
    "AES256-SHA256": ("TLS_RSA_WITH_AES_256_CBC_SHA256", 0x003D),
}
DHE_RSA = {"DHE-RSA-AES128-GCM-SHA256": ("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", 0x009E)}

PROGRAMS = {
    "python": "Python websockets",
    "node": "npm ws",
    "s_client": "openssl s_client",
    "s_server": "openssl s_server",
    "nginx": "nginx, in front of Python websockets",
    "chromium": "Chromium",
}


@dataclass
class Scene:
    name: str
    done: str
    version: str
    suite: str
    server: str = "python"
    client: str = "python"
    tls: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)
    keys: str = "client"
    pcapng: bool = False
    ecdsa: bool = False
    # A twin with the keys within is kept.
    twin: bool = False

    @property
    def suite_number(self):
        for suites in [ECDHE_RSA, ECDHE_ECDSA, RSA, DHE_RSA]:
            for name, number in suites.values():
                if name == self.suite:
                    return number
        return SUITES_13[self.suite]


def tls12(openssl, suites, name=None, done="", **more):
    """A scene of one suite of TLS 1.2."""
    suite, _ = suites[openssl]
    tls = {"version": "1.2", "cipher": f"{openssl}:@SECLEVEL=0", **more.pop("tls", {})}
    # RSA key exchange is the suites' whose names begin with their cipher.
    prefix = "rsa-" if suites is RSA else ""
    return Scene(name or f"tls12-{prefix}{openssl.lower()}", done or suite, "1.2", suite, tls=tls,
                 ecdsa=suites is ECDHE_ECDSA, **more)


def all_of_12():
    for suites, pairs in [(ECDHE_RSA, [("python", "python"), ("python", "node"), ("python", "s_client")]),
                          (ECDHE_ECDSA, [("node", "python"), ("python", "python"), ("s_server", "python")]),
                          (RSA, [("python", "python"), ("s_server", "python"), ("python", "s_client")])]:
        for number, openssl in enumerate(suites):
            server, client = pairs[number % len(pairs)]
            yield tls12(openssl, suites, server=server, client=client)
            suite = suites[openssl][0]
            if "CBC" in suite:
                prefix = "rsa-" if suites is RSA else ""
                yield tls12(openssl, suites, f"tls12-{prefix}{openssl.lower()}-mac-then-encrypt",
                            f"{suite}, encrypt-then-MAC not agreed", tls={"encrypt_then_mac": False})
    for openssl, suites in [("ECDHE-RSA-AES128-GCM-SHA256", ECDHE_RSA), ("ECDHE-ECDSA-AES256-SHA", ECDHE_ECDSA),
                            ("AES128-SHA", RSA)]:
        prefix = "rsa-" if suites is RSA else ""
        yield tls12(openssl, suites, f"tls12-{prefix}{openssl.lower()}-no-ems",
                    f"{suites[openssl][0]}, extended master secret not agreed",
                    tls={"extended_master_secret": False})
    yield tls12("DHE-RSA-AES128-GCM-SHA256", DHE_RSA, server="s_server", client="python")
    gcm = ("ECDHE-RSA-AES256-GCM-SHA384", ECDHE_RSA)
    yield tls12(*gcm, "tls12-client-certificate", "a client certificate is asked for, and sent",
                options={"client_certificate": True})
    yield tls12(*gcm, "tls12-session-id", "the second connection resumes the session by its id",
                server="nginx", client="s_client",
                options={"connections": 2, "resume": True, "nginx": "ssl_session_tickets off;"})
    yield tls12(*gcm, "tls12-session-ticket", "the second connection resumes the session with a ticket",
                server="nginx", client="s_client", options={"connections": 2, "resume": True})
    yield tls12("AES128-SHA", RSA, "tls12-small-records", "records of at most 512 bytes in CBC: how much content "
                "a lost one had is not known to the byte", client="s_client",
                options={"s_client": ["-max_send_frag", "512"]})
    yield tls12(*gcm, "tls12-renegotiation", "the client begins another handshake within the first",
                server="s_server", client="s_client", twin=True,
                options={"commands": {"1": ["R"]}, "more": ["-client_renegotiation"]})


def all_of_13():
    aes128, aes256, chacha = SUITES_13
    only = lambda suite: ["-ciphersuites", suite]  # noqa: E731
    yield Scene("tls13-aes128-gcm", "openssl s_client at Python websockets", "1.3", aes128, client="s_client",
                options={"s_client": only(aes128)}, twin=True)
    yield Scene("tls13-aes256-gcm", "Python websockets at both ends", "1.3", aes256, keys="server",
                tls={"version": "1.3"})
    yield Scene("tls13-chacha20", "Python websockets at openssl s_server", "1.3", chacha, server="s_server",
                keys="server", options={"more": only(chacha)})
    yield Scene("tls13-node", "npm ws at both ends, with permessage-deflate; the keys by node --tls-keylog",
                "1.3", aes256, server="node", client="node", options={"deflate": True}, pcapng=True)
    yield Scene("tls13-key-update", "the client renews its key, then asks the server to do so, too: KeyUpdate",
                "1.3", aes256, client="s_client", options={"commands": {"0": ["k"], "1": ["K"], "2": ["K", "k"]}})
    yield Scene("tls13-key-update-chacha20", "KeyUpdate with ChaCha20-Poly1305", "1.3", chacha,
                client="s_client", options={"commands": {"1": ["K"]}, "s_client": only(chacha)})
    yield Scene("tls13-hello-retry", "the server wants P-384, which the client offers without a share",
                "1.3", aes256, tls={"version": "1.3"}, options={"group": "secp384r1"})
    yield Scene("tls13-resumption", "the second connection resumes with the first one's ticket (npm ws)",
                "1.3", aes256, server="node", client="node", options={"connections": 2})
    yield Scene("tls13-early-data", "the second connection's request is early data (openssl s_client, nginx)",
                "1.3", aes256, server="nginx", client="s_client", options={
                    "connections": 2, "resume": True, "early": True, "nginx": "ssl_early_data on;"})
    yield Scene("tls13-client-certificate", "a client certificate is asked for, and sent", "1.3", aes256,
                tls={"version": "1.3"}, options={"client_certificate": True})
    yield Scene("tls13-small-records", "records of at most 512 bytes: a frame lies in several of them", "1.3",
                aes256, client="s_client", options={"s_client": ["-max_send_frag", "512"]})
    yield Scene("tls13-padded", "records padded to a multiple of 256 bytes", "1.3", aes256, server="s_server",
                client="s_client", options={"s_client": ["-record_padding", "256"],
                                            "more": ["-record_padding", "256"]})
    yield Scene("tls13-nginx", "nginx ends TLS for Python websockets; ALPN; keys of Python's client", "1.3",
                aes256, server="nginx", options={"alpn": ["http/1.1"]})
    yield Scene("tls13-chromium", "Chromium, with SSLKEYLOGFILE; permessage-deflate", "1.3", aes256,
                client="chromium", options={"deflate": True}, pcapng=True, twin=True)
    yield Scene("tls12-chromium", "Chromium at a server of TLS 1.2", "1.2",
                "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", client="chromium", tls={"version": "1.2"},
                pcapng=True)


SCENES = {scene.name: scene for scene in [*all_of_13(), *all_of_12()]}


def matrix():
    """Each suite of each version by each program at either end, as far as it speaks it."""
    twelve = [("python", client) for client in ["python", "node", "s_client", "chromium"]]
    twelve += [("node", "python"), ("node", "node"), ("s_server", "python"), ("s_server", "s_client"),
               ("nginx", "python"), ("nginx", "s_client")]
    for suites in [ECDHE_RSA, ECDHE_ECDSA, RSA, DHE_RSA]:
        for openssl, (suite, _) in suites.items():
            for server, client in twelve:
                # Of CBC Chromium has kept that with SHA-1 and RSA; of these servers one has parameters for DHE.
                if client == "chromium" and "CBC" in suite and (suites is ECDHE_ECDSA or not suite.endswith("_SHA")):
                    continue
                if suites is DHE_RSA and server != "s_server":
                    continue
                yield tls12(openssl, suites, f"matrix-12-{suite[4:].lower()}-{client}-{server}",
                            server=server, client=client, pcapng=client == "chromium")
    thirteen = [("python", "node"), ("python", "s_client"), ("node", "python"), ("node", "node"), ("node", "chromium"),
                ("s_server", "python"), ("s_server", "s_client"), ("nginx", "python"), ("nginx", "s_client"),
                ("nginx", "chromium")]
    for suite in SUITES_13:
        for server, client in thirteen:
            options = {}
            if client == "s_client":
                options["s_client"] = ["-ciphersuites", suite]
            if server == "s_server":
                options["more"] = ["-ciphersuites", suite]
            if server == "nginx":
                options["nginx"] = f"ssl_conf_command Ciphersuites {suite};"
            # Python chooses no suite of TLS 1.3: its peer does.
            tls = {"version": "1.3", **({"cipher": suite} if "node" in (server, client) else {})}
            yield Scene(f"matrix-13-{suite[4:].lower()}-{client}-{server}", suite, "1.3", suite, server=server,
                        client=client, tls=tls, options=options, pcapng=client == "chromium")


MATRIX = {scene.name: scene for scene in matrix()}
