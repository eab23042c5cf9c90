"""A charging station on Python ocpp: boots, beats, authorizes, and answers what the central system asks."""

import asyncio

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result


class Station(ChargePoint):
    @on("ChangeConfiguration")
    def change(self, **_):
        return call_result.ChangeConfiguration(status="Accepted")


async def main():
    url = "ws://127.0.0.1:8085/ocpp/CP-7"
    async with websockets.connect(url, subprotocols=["ocpp1.6"], compression=None) as socket:
        station = Station("CP-7", socket)
        reading = asyncio.ensure_future(station.start())
        boot = call.BootNotification(charge_point_vendor="VendorX", charge_point_model="SingleSocketCharger")
        await station.call(boot)
        await asyncio.sleep(1)
        await station.call(call.Heartbeat())
        await station.call(call.Authorize(id_tag="B4A63CDF"))
        reading.cancel()


asyncio.run(main())
