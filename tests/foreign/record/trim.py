"""trim.py WHOLE OUT: the first packets of a capture, as many as fit into 10 KB compressed."""

import gzip
import struct
import sys

MOST = 10_000
PACKETS = 400

whole = open(sys.argv[1], "rb").read()
ends, at, payload = [], 24, 0
while at + 16 <= len(whole):
    length = struct.unpack_from("<I", whole, at + 8)[0]
    at += 16 + length
    if at > len(whole):
        break
    ends.append(at)
    packet = whole[at - length:at]
    ip = 14
    if packet[12:14] == b"\x08\x00":
        tcp = ip + (packet[ip] & 15) * 4
        payload += struct.unpack_from(">H", packet, ip + 2)[0] - (tcp - ip) - (packet[tcp + 12] >> 4) * 4
    else:
        payload += struct.unpack_from(">H", packet, ip + 4)[0] - (packet[ip + 40 + 12] >> 4) * 4
if payload < 16:
    sys.exit(f"{sys.argv[2]}: {len(ends)} packets with {payload} bytes: nothing was said")


def packed(count):
    return gzip.compress(whole[:ends[count - 1]], 9, mtime=0)


low, high = 1, min(len(ends), PACKETS)
while low < high:
    middle = (low + high + 1) // 2
    if len(packed(middle)) <= MOST:
        low = middle
    else:
        high = middle - 1
with open(sys.argv[2], "wb") as file:
    file.write(packed(low))
print(f"{sys.argv[2].rsplit('/', 1)[1]}: {low} of {len(ends)} packets, {payload} bytes said, {len(packed(low))} compressed")
