// Plays a file of commands through Segue's API: reads NDJSON from stdin as `segue feed` does, sends each line as a request,
// and writes a result for each line, as POST /v1/feed does. `segue demo --client` checks such a program.
//
// Interactions are played in parallel, the commands of one in order.
import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import createClient from 'openapi-fetch';
import { patientFetch } from './patient.mjs';

/** How many interactions are played at once. */
const parallel = 16;

/**
 * @typedef {{number: number, interaction: string, command: string, contactCenter: string, key?: string, payload: any}} Line
 * @typedef {{status: number, answer?: any, problem?: any}} Outcome
 */

const contactCenter = process.env.SEGUE_CONTACT_CENTER || 'default';
const token = process.env.SEGUE_TOKEN; // an API key or a JWT
/** @type {import('openapi-fetch').Client<import('./v1.d.ts').paths>} */
const segue = createClient({
  baseUrl: `${process.env.SEGUE_GATEWAY || 'http://127.0.0.1:8080'}/v1`,
  fetch: patientFetch,
  headers: token ? { Authorization: `Bearer ${token}` } : {},
});

const summary = { lines: 0, interactions: 0, accepted: 0, duplicates: 0, rejected: 0, unknown: 0 };
const waiting = [...group(await text(process.stdin)).values()];
summary.interactions = waiting.length;
await Promise.all(Array.from({ length: parallel }, async () => {
  for (let lines = waiting.shift(); lines; lines = waiting.shift()) await play(lines);
}));
console.log(JSON.stringify({ summary }));

/**
 * Groups lines by interaction, in their order. A line that cannot be sent has its result at once.
 * @param {string} file
 */
function group(file) {
  /** @type {Map<string, Line[]>} */
  const groups = new Map();
  /** @type {Map<string, number>} */
  const repeats = new Map();
  for (const [index, line] of file.replace(/^\uFEFF/, '').split('\n').entries()) {
    if (line.trim() === '') continue;
    const read = parse(index + 1, line, repeats);
    if (typeof read === 'string') {
      report({ number: index + 1 }, { status: 400, problem: { title: 'The line cannot be sent', detail: read } });
      continue;
    }
    const name = `${read.contactCenter}/${read.interaction}`;
    groups.set(name, [...(groups.get(name) ?? []), read]);
  }
  return groups;
}

/**
 * Returns what a line sends, or why it cannot be sent.
 * @param {number} number
 * @param {string} line
 * @param {Map<string, number>} repeats how often a key was derived before
 * @returns {Line | string}
 */
function parse(number, line, repeats) {
  let fields;
  try {
    fields = JSON.parse(line);
  } catch (err) {
    return `the line is not JSON: ${err}`;
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return 'the line is not a JSON object';
  const { interaction, command, contact_center = contactCenter, ...payload } = fields;
  for (const [field, value] of Object.entries({ interaction, command, contact_center })) {
    if (typeof value !== 'string' || value === '') return `${field}: use a string that is not empty`;
  }
  return { number, interaction, command, contactCenter: contact_center, key: keyOf(payload, line, repeats), payload };
}

/**
 * Returns the key of a command: its event_id, else one from its content, so that the same file has the same keys each time.
 * @param {any} payload
 * @param {string} line
 * @param {Map<string, number>} repeats
 */
function keyOf(payload, line, repeats) {
  if (payload.event_id) return typeof payload.event_id === 'string' ? payload.event_id : undefined; // Segue refuses another
  const hash = createHash('sha256').update(line.trim()).digest('hex').slice(0, 24);
  const count = (repeats.get(hash) ?? 0) + 1;
  repeats.set(hash, count);
  return `line-${hash}-${count}`;
}

/**
 * Sends the lines of one interaction in order. After one without an outcome, the others are not sent.
 * @param {Line[]} lines
 */
async function play(lines) {
  /** @type {Outcome | undefined} */
  let stopped;
  for (const line of lines) {
    const outcome = stopped ?? await send(line);
    if (outcome.status >= 429) stopped = outcome;
    report(line, outcome);
  }
}

/**
 * @param {Line} line
 * @returns {Promise<Outcome>}
 */
async function send(line) {
  const { interaction: id, payload: body } = line;
  const header = { 'Segue-Contact-Center': line.contactCenter, 'Idempotency-Key': line.key };
  try {
    if (line.command === 'start') {
      const { response, data, error } = await segue.POST('/interactions', { params: { header }, body: { id, ...body } });
      return { status: response.status, answer: data && { ...data.answer, duplicate: data.duplicate }, problem: error };
    }
    // The name of the command is data here; call.mts has the typed paths.
    const path = /** @type {'/interactions/{id}/commands/hold'} */ (`/interactions/{id}/commands/${encodeURIComponent(line.command)}`);
    const { response, data, error } = await segue.POST(path, { params: { path: { id }, header }, body });
    return { status: response.status, answer: data, problem: error };
  } catch (err) {
    return { status: 503, problem: { title: 'No answer', detail: String(err) } };
  }
}

/**
 * Writes the result of a line and counts it.
 * @param {Partial<Line> & {number: number}} line
 * @param {Outcome} outcome
 */
function report(line, { status, answer, problem }) {
  const outcome = status >= 429 ? 'unknown' : status >= 400 ? 'rejected' : answer?.duplicate ? 'duplicate' : 'accepted';
  summary.lines++;
  summary[outcome === 'duplicate' ? 'duplicates' : outcome]++;
  console.log(JSON.stringify({ line: line.number, interaction: line.interaction, event_id: line.key, status: outcome, answer, problem }));
}
