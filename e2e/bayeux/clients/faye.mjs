// The client of faye, which handshakes by long-polling and then changes to a WebSocket.
import faye from "faye";

export function connect({ url, transport, ack, headers, token, topics }, print) {
  const client = new faye.Client(url, { retry: 0.1 });
  if (transport !== "websocket") client.disable("websocket");
  for (const [name, value] of Object.entries(headers)) client.setHeader(name, value);
  client.addExtension(events(print));
  if (ack) client.addExtension(acknowledgment());
  if (token) client.addExtension(authentication(token));
  client.on("transport:up", () => print("connected"));
  client.on("transport:down", () => print("broken"));

  const subscriptions = new Map();
  const subscribe = (topic) => subscriptions.set(topic, client.subscribe(topic, () => {}));
  topics.forEach(subscribe);

  return {
    subscribe,
    unsubscribe: (topic) => subscriptions.get(topic).cancel(),
    disconnect: () => client.disconnect().then(() => print("disconnected")),
  };
}

function events(print) {
  return {
    incoming(message, next) {
      const { channel, data, subscription: topic, successful, error } = message;
      if (channel === "/meta/handshake") print("handshake", { successful, error });
      if (channel === "/meta/subscribe") print("subscribed", { topic, successful, error });
      if (channel === "/meta/unsubscribe") print("unsubscribed", { topic });
      if (data !== undefined) print("message", { channel, data });
      next(message);
    },
  };
}

// Faye has no acknowledgment extension of its own.
function acknowledgment() {
  let batch = null;
  return {
    outgoing(message, next) {
      if (message.channel === "/meta/handshake") message.ext = { ...message.ext, ack: true };
      if (message.channel === "/meta/connect" && batch !== null) message.ext = { ...message.ext, ack: batch };
      next(message);
    },
    incoming(message, next) {
      if (message.channel === "/meta/handshake") batch = message.ext?.ack ? 0 : null;
      if (message.channel === "/meta/connect") batch = message.ext?.ack ?? batch;
      next(message);
    },
  };
}

function authentication(token) {
  return {
    outgoing(message, next) {
      if (message.channel === "/meta/handshake") message.ext = { ...message.ext, authentication: { token } };
      next(message);
    },
  };
}
