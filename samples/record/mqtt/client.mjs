// What samples/mqtt.pcap shows: a sensor and a reader, once in MQTT 3.1.1 and once in MQTT 5.
//
// MQTT.js writes a packet in pieces, each of which becomes a WebSocket message, so that packets span messages.
import mqtt from "mqtt";

async function talk(protocolVersion) {
  const client = await mqtt.connectAsync("ws://127.0.0.1:8083/mqtt", {
    protocolVersion,
    clientId: `sensor-${protocolVersion}`,
    keepalive: 30,
    username: "anna",
    password: "not-so-secret",
    will: { topic: "rooms/1/state", payload: Buffer.from("gone"), qos: 1, retain: false },
    properties: protocolVersion === 5 ? { sessionExpiryInterval: 60 } : undefined,
  });
  const heard = [];
  client.on("message", (topic, payload) => heard.push([topic, payload.toString()]));
  await client.subscribeAsync({ "rooms/+/temperature": { qos: 1 }, "rooms/#": { qos: 2 } });
  await client.publishAsync("rooms/1/temperature", "21.5", { qos: 0 });
  await client.publishAsync("rooms/1/temperature", JSON.stringify({ celsius: 21.5, at: "window" }), { qos: 1 });
  await client.publishAsync("rooms/1/state", "open", {
    qos: 2,
    properties: protocolVersion === 5 ? { contentType: "text/plain", userProperties: { by: "anna" } } : undefined,
  });
  await client.publishAsync("rooms/1/picture", Buffer.from([0, 255, 1, 254, 2, 253]), { qos: 0 });
  while (heard.length < 4) await new Promise((done) => setTimeout(done, 20));
  await client.unsubscribeAsync("rooms/#");
  await client.endAsync();
}

await talk(4);
await talk(5);
