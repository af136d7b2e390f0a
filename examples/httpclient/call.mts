// Plays one phone call against a running Segue (`segue dev`) with a client whose types come from the gateway's OpenAPI document:
// starts an interaction, sends commands, handles a refusal, repeats a command, and reads the state.
import createClient from 'openapi-fetch';
import { patientFetch } from './patient.mjs';
import type { components, paths } from './v1.d.ts';

type Answer = components['schemas']['Answer'];
type Problem = components['schemas']['Problem'];

const token = process.env.SEGUE_TOKEN; // an API key or a JWT; `segue dev` needs none
const segue = createClient<paths>({
  baseUrl: `${process.env.SEGUE_GATEWAY || 'http://127.0.0.1:8080'}/v1`,
  fetch: patientFetch,
  headers: token ? { Authorization: `Bearer ${token}` } : {},
});

// A start may bring the first commands with it. The key makes a repeat harmless, and names the interaction.
const key = `node-${Date.now()}`;
const start = await segue.POST('/interactions', {
  params: { header: { 'Idempotency-Key': key } },
  body: { channel: 'inbound', ani: '+4930123456', commands: [{ command: 'place_in_queue', queue: 'sales' }] },
});
if (!start.data) throw failed('start', start.error);
const { id } = start.data;
console.log(`started ${id}: ${start.data.results?.map((result) => 'state' in result && result.state).join()}`);

// Each command has its own path and payload, checked by the compiler.
const ada = { id: 'ada', name: 'Ada' };
const header = (command: string) => ({ 'Idempotency-Key': `${key}-${command}` });
show('offer', await segue.POST('/interactions/{id}/commands/offer', { params: { path: { id }, header: header('offer') }, body: { agent: ada } }));
show('accept', await segue.POST('/interactions/{id}/commands/accept', { params: { path: { id }, header: header('accept') }, body: { agent: 'ada' } }));
show('accept again', await segue.POST('/interactions/{id}/commands/accept', { params: { path: { id }, header: header('accept') }, body: { agent: 'ada' } }));
show('connect', await segue.POST('/interactions/{id}/commands/connect', { params: { path: { id }, header: header('connect') }, body: {} })); // refused

const list = await segue.GET('/interactions', { params: { query: { agent: 'ada' } } });
console.log(`ada has ${list.data?.interactions.some((one) => one.id === id) ? id : 'nothing'}`);

show('complete', await segue.POST('/interactions/{id}/commands/complete', {
  params: { path: { id }, header: header('complete') }, body: { disposition: 'SOLD' },
}));
const state = await segue.GET('/interactions/{id}', { params: { path: { id } } });
if (!state.data) throw failed('read', state.error);
console.log(`${state.data.state} after ${state.data.sequence} events: ${state.data.outcome}`);

// A refusal is part of the work; anything else ends this program.
function show(what: string, { data, error }: { data?: Answer; error?: Problem }): void {
  if (data) console.log(`${what}: ${data.state}${data.duplicate ? ', a repeat' : ''}`);
  else if (error?.type === 'urn:segue:illegal-command') console.log(`${what} was refused; legal are ${error.legal?.slice(0, 3).join(', ')}, …`);
  else throw failed(what, error);
}

function failed(what: string, problem?: Problem): Error {
  return new Error(`${what}: ${problem?.detail ?? problem?.title ?? 'no answer'}`);
}
