// A small agent desktop over /api/v2, with the official client of CometD. It signs in, becomes ready, and answers what it is
// offered: it accepts calls, chats and emails, replies to an email, and completes each with a disposition.
//
//   node desktop.mjs                     until Ctrl-C
//   node desktop.mjs --interactions 3    until it has completed three
//
// SEGUE_GATEWAY is the gateway, SEGUE_USER and SEGUE_PASSWORD are the agent.
import { parseArgs } from 'node:util';
import { AckExtension, CometD } from 'cometd';
import { adapt } from 'cometd-nodejs-client';

const { values } = parseArgs({ options: { interactions: { type: 'string', default: 'Infinity' } } });
const { SEGUE_GATEWAY: gateway = 'http://127.0.0.1:8080', SEGUE_USER: user = 'ada', SEGUE_PASSWORD: password = 'any' } = process.env;
const api = `${gateway}/api/v2`;
const credential = { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };

/** Sends a request. A body makes it a POST. An answer whose statusCode is not 0 is an error. */
async function call(path, body) {
  const answer = await fetch(api + path, {
    method: body ? 'POST' : 'GET',
    headers: { ...credential, 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const result = await answer.json();
  if (result.statusCode !== 0) throw new Error(`${body?.operationName ?? 'GET'} ${path}: ${result.statusCode} ${result.statusMessage}`);
  return result;
}

const replied = new Set(); // the emails that have a draft
const sent = new Set(); // the emails whose draft is sent

/** Returns the next operation on an interaction; undefined if there is nothing to do now. */
function next({ id, state, emailType, parentInteractionId, capabilities }) {
  const operation = (name, fields) => (capabilities.includes(name) ? { operationName: name, ...fields } : undefined);
  const complete = () => operation('Complete', { disposition: { code: 'SOLVED', notes: 'by the example' } });
  switch (state) {
    case 'Ringing':
      return operation('Answer');
    case 'Invited':
      return operation('Accept');
    case 'Established':
      return operation('Hangup');
    case 'Composing':
      return operation('Send');
    case 'Processing':
      if (emailType !== 'Inbound' || sent.has(id)) return complete();
      return replied.has(id) || parentInteractionId ? undefined : operation('Reply', { text: 'We look into it.' });
    default: // Chatting, and Released while the agent wraps up a call
      return complete();
  }
}

let left = Number(values.interactions);
const known = new Map(); // the last state of each open interaction
const given = new Map(); // the last operation on each of them

/** Does what is next for an interaction. The state that it leads to comes as a notification. */
async function work(interaction) {
  const { id, capabilities, parentInteractionId: parent } = interaction;
  known.set(id, interaction);
  if (capabilities.length === 0) {
    known.delete(id); // it is over for this agent
    if (parent) {
      sent.add(parent);
      if (known.has(parent)) await work(known.get(parent));
    } else if (--left === 0) {
      await leave();
    }
    return;
  }
  const operation = next(interaction);
  if (!operation || given.get(id) === operation.operationName) return;
  given.set(id, operation.operationName);
  if (operation.operationName === 'Reply') replied.add(id);
  console.log(`> ${operation.operationName} ${id}`);
  await call(`/me/interactions/${encodeURIComponent(id)}`, operation);
}

let turn = Promise.resolve(); // notifications are handled one after the other
const inTurn = (task) => { turn = turn.then(task).catch((err) => console.log(`! ${err.message}`)); };

function notified({ channel, data: { messageType, notificationType, interaction, channels } }) {
  if (channels) console.log(`< ${channel} ${channels.map((c) => `${c.channel} ${c.userState.state}`).join(', ')}`);
  if (!interaction) return;
  console.log(`< ${channel} ${messageType} ${notificationType} ${interaction.id} ${interaction.state} [${interaction.capabilities}]`);
  if (notificationType === 'StatusChange') inTurn(() => work(interaction));
}

async function leave() {
  await call('/me', { operationName: 'EndContactCenterSession' });
  cometd.disconnect(() => process.exit());
}

adapt(); // gives Node what the client needs of a browser
const cometd = new CometD();
cometd.configure({ url: `${api}/notifications`, requestHeaders: credential, logLevel: 'warn' });
cometd.unregisterTransport('websocket'); // outside of a browser, it sends neither the header nor the session's cookie
cometd.registerExtension('ack', new AckExtension());
cometd.addListener('/meta/handshake', ({ successful, error }) => {
  if (!successful) return console.log(`! handshake: ${error ?? 'no answer'}`); // the client tries again, unless it is advised not to
  for (const topic of ['/v2/me/interactions', '/v2/me/channels']) {
    cometd.subscribe(topic, notified, (reply) => {
      if (!reply.successful) console.log(`! ${topic}: ${reply.error}`);
      // A new session gets nothing of what is: it asks, once it gets what comes.
      else if (topic === '/v2/me/channels') inTurn(begin);
    });
  }
});

async function begin() {
  await call('/me', { operationName: 'StartContactCenterSession', channels: ['voice', 'chat', 'email'], place: 'desk-7', loginCode: '7001' });
  await call('/me', { operationName: 'Ready' });
  const { interactions } = await call('/me/interactions?fields=*');
  for (const interaction of interactions) inTurn(() => work(interaction));
}

try {
  const { user: me } = await call('/me');
  console.log(`signed in as ${me.userName}`);
} catch (err) {
  console.error(`cannot sign in at ${gateway} as ${user}: ${err.cause?.message ?? err.message}`);
  process.exit(1);
}
cometd.handshake();
