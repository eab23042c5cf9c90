"""A central system on Python ocpp: takes a boot, and has the charging station change a setting."""

import asyncio
import datetime

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result


class Station(ChargePoint):
    @on("BootNotification")
    def booted(self, **_):
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        asyncio.get_running_loop().call_later(0.3, lambda: asyncio.ensure_future(self.change()))
        return call_result.BootNotification(current_time=now, interval=300, status="Accepted")

    @on("Heartbeat")
    def beat(self):
        return call_result.Heartbeat(current_time=datetime.datetime.now(datetime.timezone.utc).isoformat())

    @on("Authorize")
    def authorize(self, id_tag):
        return call_result.Authorize(id_tag_info={"status": "Accepted" if id_tag == "B4A63CDF" else "Invalid"})

    async def change(self):
        await self.call(call.ChangeConfiguration(key="MeterValueSampleInterval", value="60"))
        await self.call(call.GetDiagnostics(location="ftp://example.com/"), suppress=True)


async def connected(socket):
    station = Station(socket.request.path.strip("/").split("/")[-1], socket)
    try:
        await station.start()
    except websockets.ConnectionClosed:
        pass


async def main():
    async with websockets.serve(connected, "127.0.0.1", 8085, subprotocols=["ocpp1.6"], compression=None):
        print("ready", flush=True)
        await asyncio.Future()


asyncio.run(main())
