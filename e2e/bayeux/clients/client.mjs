// Runs a Bayeux client under the control of a test.
//
//   node client.mjs '{"client": "cometd", "url": "http://127.0.0.1:8080/api/v2/notifications", "transport": "websocket",
//     "ack": true, "headers": {"Authorization": "Basic ..."}, "topics": ["/v2/me/calls"]}'
//
// client: cometd or faye; transport: websocket or long-polling. token, if given, is sent as ext.authentication.token of the
// handshake. Each event is one line of JSON on stdout:
//
//   {"event": "handshake", "successful": true, "error"}    {"event": "connected"}    {"event": "broken"}
//   {"event": "subscribed", "topic", "successful", "error"}    {"event": "unsubscribed", "topic"}
//   {"event": "message", "channel", "data"}, once for each message that the server sends    {"event": "disconnected"}
//
// Each line on stdin is a command: {"command": "subscribe", "topic"}, {"command": "unsubscribe", "topic"},
// {"command": "disconnect"}, {"command": "exit"}. The client subscribes to its topics again when it handshakes again.
import { createInterface } from "node:readline";

const options = { transport: "long-polling", ack: false, headers: {}, topics: [], ...JSON.parse(process.argv[2]) };
const print = (event, fields) => process.stdout.write(JSON.stringify({ event, ...fields }) + "\n");

const { connect } = await import(`./${options.client}.mjs`);
const client = connect(options, print);

for await (const line of createInterface({ input: process.stdin })) {
  const { command, topic } = JSON.parse(line);
  if (command === "exit") break;
  client[command](topic);
}
process.exit(0);
