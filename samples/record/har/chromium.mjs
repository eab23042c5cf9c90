// What Chromium's developer tools save, from the same events: node chromium.mjs URL OUT TRUTH [FLAGS]
//
// The tools' own "Export HAR" needs somebody who presses a button; what it writes of an event stands in
// Chromium's front_end/models/har/Log.ts: a WebSocket's frames as type, time, opcode and data.
import { writeFileSync } from "node:fs";
import { Browser, chromium } from "../../../tests/peers/browser.mjs";

const [url, out, truth, ...flags] = process.argv.slice(2);
const browser = new Browser(chromium(), flags);
const tab = await browser.tab(url);
const log = await tab.evaluate("window.run");
const version = await browser.send("Browser.getVersion");

const list = (headers = {}) =>
  Object.entries(headers).flatMap(([name, value]) => value.split("\n").map((value) => ({ name, value })));
const entries = new Map();
const of = (id) => entries.get(id);
const head = (method, url, headers, httpVersion) => ({
  method, url, httpVersion, headers: list(headers), queryString: [], cookies: [], headersSize: -1, bodySize: 0,
});
const answer = (status, statusText, httpVersion, headers, content) => ({
  status, statusText, httpVersion, headers: list(headers), cookies: [], content, redirectURL: "",
  headersSize: -1, bodySize: -1, _transferSize: 0,
});
const protocol = (name) => ({ "http/1.1": "HTTP/1.1", "http/1.0": "HTTP/1.0" })[name] ?? name ?? "";

// Monotonic time and that of day, from whatever has both.
let apart = 0;
const bodies = [];
for (const { method, params, sessionId } of browser.heard) {
  if (sessionId !== tab.session || !method?.startsWith("Network.")) continue;
  const id = params.requestId;
  switch (method) {
    case "Network.requestWillBeSent": {
      const { request, wallTime, timestamp, type } = params;
      apart = wallTime - timestamp;
      entries.set(id, {
        began: timestamp,
        entry: {
          _resourceType: type.toLowerCase(),
          startedDateTime: new Date(wallTime * 1000).toISOString(),
          request: head(request.method, request.url, request.headers, ""),
          response: answer(0, "", "", {}, { size: 0, mimeType: "x-unknown" }),
        },
      });
      if (request.hasPostData) of(id).entry.request.postData = { mimeType: "text/plain", text: request.postData };
      break;
    }
    case "Network.requestWillBeSentExtraInfo":
      if (of(id)) of(id).entry.request.headers = list(params.headers);
      break;
    case "Network.responseReceived": {
      const { status, statusText, headers, protocol: version, remoteIPAddress, connectionId, timing } =
        params.response;
      const { entry } = of(id);
      entry.request.httpVersion = protocol(version);
      const content = { size: 0, mimeType: params.response.mimeType };
      entry.response = answer(status, statusText, protocol(version), headers, content);
      Object.assign(entry, { serverIPAddress: remoteIPAddress, connection: String(connectionId) });
      of(id).wait = timing?.receiveHeadersEnd;
      bodies.push(id);
      break;
    }
    case "Network.loadingFinished":
      if (of(id)) of(id).took = (params.timestamp - of(id).began) * 1000;
      break;
    case "Network.webSocketCreated":
      entries.set(id, { url: params.url, messages: [] });
      break;
    case "Network.webSocketWillSendHandshakeRequest": {
      const { wallTime, timestamp, request } = params;
      apart = wallTime - timestamp;
      Object.assign(of(id), {
        began: timestamp,
        entry: {
          _resourceType: "websocket",
          _webSocketMessages: of(id).messages,
          startedDateTime: new Date(wallTime * 1000).toISOString(),
          request: head("GET", of(id).url, request.headers, "HTTP/1.1"),
          response: answer(0, "", "", {}, { size: 0, mimeType: "x-unknown" }),
        },
      });
      break;
    }
    case "Network.webSocketHandshakeResponseReceived": {
      const { status, statusText, headers, requestHeaders } = params.response;
      const { entry, began } = of(id);
      if (requestHeaders) entry.request.headers = list(requestHeaders);
      entry.response = answer(status, statusText, "HTTP/1.1", headers, { size: 0, mimeType: "x-unknown" });
      of(id).wait = (params.timestamp - began) * 1000;
      break;
    }
    case "Network.webSocketFrameSent":
    case "Network.webSocketFrameReceived":
      of(id).messages.push({
        type: method.endsWith("Sent") ? "send" : "receive",
        time: params.timestamp + apart,
        opcode: params.response.opcode,
        data: params.response.payloadData,
      });
      break;
    case "Network.webSocketFrameError":
      of(id).messages.push({ type: "error", time: params.timestamp + apart, opcode: -1, data: params.errorMessage });
      break;
    case "Network.webSocketClosed":
      of(id).took = (params.timestamp - of(id).began) * 1000;
  }
}
for (const id of bodies) {
  const { entry } = of(id);
  if (!entry.request.url.includes("EIO=")) continue;
  const { body, base64Encoded } = await tab.send("Network.getResponseBody", { requestId: id });
  Object.assign(entry.response.content, { size: body.length, text: body });
  if (base64Encoded) entry.response.content.encoding = "base64";
}
const har = {
  log: {
    version: "1.2",
    creator: { name: "WebInspector", version: "537.36" },
    pages: [],
    entries: [...entries.values()].filter(({ entry }) => entry).map(({ entry, wait = 0, took = wait }) => ({
      ...entry,
      cache: {},
      timings: { blocked: -1, dns: -1, ssl: -1, connect: -1, send: 0, wait, receive: Math.max(took - wait, 0) },
      time: took,
    })),
  },
};
writeFileSync(out, `${JSON.stringify(har, null, 1)}\n`);
writeFileSync(truth, `${JSON.stringify(log, null, 1)}\n`);
console.log(version.product);
await browser.close();
