// A fetch that repeats what has no outcome yet: 429, 503, and broken connections. A repeat has the same Idempotency-Key, so
// that a command which Segue has applied already changes nothing.
import { setTimeout as pause } from 'node:timers/promises';

/** How long one request may take with all its repeats, in milliseconds. */
const patience = 120_000;

/**
 * @param {Request} request
 * @returns {Promise<Response>} the last answer, also if it is a 429 or a 503
 */
export async function patientFetch(request) {
  const end = Date.now() + patience;
  for (let attempt = 0; ; attempt++) {
    /** @type {Response | undefined} */
    let answer;
    let wait = Math.min(100 * 2 ** attempt, 5_000);
    try {
      answer = await fetch(request.clone());
      if (answer.status !== 429 && answer.status !== 503) return answer;
      wait = Math.max(wait, 1000 * Number(answer.headers.get('Retry-After') ?? 0));
    } catch (err) {
      if (!request.headers.has('Idempotency-Key') && request.method !== 'GET') throw err; // it may have been applied
      if (Date.now() + wait > end) throw err;
    }
    if (Date.now() + wait > end && answer) return answer;
    await answer?.body?.cancel();
    await pause(wait);
  }
}
