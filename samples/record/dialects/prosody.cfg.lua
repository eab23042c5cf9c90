-- Prosody with WebSocket and nothing else, over plain HTTP for the recording.
local data = os.getenv("PROSODY_DATA") or "prosody"
data_path = data
pidfile = data .. "/prosody.pid"
run_as_root = true
modules_enabled = { "roster", "saslauth", "disco", "ping", "websocket", "http" }
modules_disabled = { "s2s", "tls" }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
http_ports = { 8085 }
http_interfaces = { "127.0.0.1" }
https_ports = {}
c2s_ports = {}
consider_websocket_secure = true
log = { info = "*console" }
VirtualHost "localhost"
http_host = "127.0.0.1"
