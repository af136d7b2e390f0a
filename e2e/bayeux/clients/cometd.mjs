// The official client of CometD.
import { adapt } from "cometd-nodejs-client";
import { AckExtension, CometD } from "cometd";

export function connect({ url, transport, ack, headers, token, topics }, print) {
  adapt();
  sendHeadersWithSockets(headers);
  const cometd = new CometD();
  cometd.configure({ url, requestHeaders: headers, logLevel: "warn", backoffIncrement: 50, maxBackoff: 500 });
  for (const other of cometd.getTransportTypes()) {
    if (other !== transport) cometd.unregisterTransport(other);
  }
  if (ack) cometd.registerExtension("ack", new AckExtension());
  cometd.registerExtension("print", { incoming: (message) => printMessage(message, print) });

  const wanted = new Set(topics);
  const subscriptions = new Map();
  const subscribe = (topic) => {
    wanted.add(topic);
    subscriptions.set(topic, cometd.subscribe(topic, () => {}, ({ successful, error }) => {
      print("subscribed", { topic, successful, error });
    }));
  };
  let connected = false;
  cometd.addListener("/meta/handshake", ({ successful, error }) => {
    print("handshake", { successful, error });
    if (successful) cometd.batch(() => wanted.forEach(subscribe));
  });
  cometd.addListener("/meta/connect", ({ successful }) => {
    if (successful !== connected) print(successful ? "connected" : "broken");
    connected = successful;
  });
  cometd.handshake(token ? { ext: { authentication: { token } } } : {});

  return {
    subscribe,
    unsubscribe(topic) {
      wanted.delete(topic);
      cometd.unsubscribe(subscriptions.get(topic), () => print("unsubscribed", { topic }));
    },
    disconnect: () => cometd.disconnect(() => print("disconnected")),
  };
}

// A listener would be called once for each matching subscription, an extension once for each message.
function printMessage(message, print) {
  if (message.data !== undefined) print("message", { channel: message.channel, data: message.data });
  return message;
}

// A browser keeps cookies and sends them when it opens a WebSocket, and its credential is among them. Here a header has it.
function sendHeadersWithSockets(headers) {
  const { WebSocket } = window;
  const cookies = new Map();
  const keep = (cookie) => {
    const [name, value] = cookie.split(";", 1)[0].split(/=(.*)/s);
    cookies.set(name.trim(), value);
  };
  headers.Cookie?.split(";").forEach(keep);
  window.WebSocket = class extends WebSocket {
    constructor(url) {
      const kept = Array.from(cookies, ([name, value]) => `${name}=${value}`).join("; ");
      super(url, [], { headers: kept ? { ...headers, Cookie: kept } : headers });
      this.on("upgrade", (response) => response.headers["set-cookie"]?.forEach(keep));
    }
  };
}
