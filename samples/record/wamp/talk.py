"""What samples/wamp.pcap shows: a thermometer, which speaks JSON, and a display, which speaks MessagePack."""

import asyncio

from autobahn.asyncio.wamp import ApplicationRunner, ApplicationSession
from autobahn.wamp import ApplicationError
from autobahn.wamp.serializer import JsonSerializer, MsgPackSerializer
from autobahn.wamp.types import CallOptions, PublishOptions, RegisterOptions

URL = "ws://127.0.0.1:8084"
ready = asyncio.Event()
done = asyncio.Event()


class Thermometer(ApplicationSession):
    async def onJoin(self, details):
        await self.register(self.celsius, "rooms.celsius")
        await self.register(self.history, "rooms.history", RegisterOptions(details_arg="details"))
        ready.set()
        await done.wait()
        self.leave()

    def celsius(self, room, unit="C"):
        if room not in (1, 2):
            raise ApplicationError("rooms.error.no_such_room", room, known=[1, 2])
        return 21.5 if unit == "C" else 70.7

    async def history(self, room, details=None):
        for degrees in (20.5, 21.0):
            details.progress(degrees)
            await asyncio.sleep(0.02)
        return 21.5

    def onDisconnect(self):
        pass


class Display(ApplicationSession):
    async def onJoin(self, details):
        heard = asyncio.Event()
        alarm = await self.subscribe(lambda *args, **kwargs: heard.set(), "rooms.alarm")
        await self.call("rooms.celsius", 1)
        await self.call("rooms.celsius", 2, unit="F")
        await self.call("rooms.history", 1, options=CallOptions(on_progress=lambda degrees: None))
        for procedure in ("rooms.celsius", "rooms.humidity"):
            try:
                await self.call(procedure, 3)
            except ApplicationError:
                pass
        await self.publish("rooms.seen", bytes([0, 255]), options=PublishOptions(acknowledge=True))
        await self.publish(
            "rooms.alarm", 2, text="窗户开着", options=PublishOptions(acknowledge=True, exclude_me=False)
        )
        await heard.wait()
        await alarm.unsubscribe()
        done.set()
        self.leave()

    def onDisconnect(self):
        pass


async def main():
    for session, serializer in (Thermometer, JsonSerializer()), (Display, MsgPackSerializer()):
        runner = ApplicationRunner(URL, "rooms", serializers=[serializer])
        await runner.run(session, start_loop=False)
        if session is Thermometer:
            await ready.wait()
    await done.wait()
    await asyncio.sleep(1)


asyncio.run(main())
