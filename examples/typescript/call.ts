// Plays one phone call against a running Segue (`segue dev`): starts an interaction, sends commands as signals and updates,
// handles a refusal, and queries the state. The types of payloads and answers are those of segue.d.ts.
import { ApplicationFailure, Client, Connection, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Answer, Commands, Start, State } from './segue.d.ts';

const address = process.env.SEGUE_TEMPORAL_ADDRESS || '127.0.0.1:7233';
const connection = await Connection.connect({ address });
const client = new Client({ connection, namespace: 'default' });

const start: Start = { id: `ts-${Date.now()}`, contact_center: 'default', channel: 'inbound', ani: '+4930123456' };
const ixn = await client.workflow.start('Interaction', {
  taskQueue: 'segue',
  workflowId: `interaction/${start.contact_center}/${start.id}`,
  workflowIdReusePolicy: 'REJECT_DUPLICATE', // an id is used once
  priority: { fairnessKey: start.contact_center }, // a flood in one contact center delays no other
  args: [start],
});
console.log(`started ${start.contact_center}/${start.id}`);

// Temporal stores a signal; the interaction applies it later.
async function signal<C extends keyof Commands>(command: C, payload: Commands[C]): Promise<void> {
  await ixn.signal(command, payload);
}

// An update returns the interaction's answer. The event id, also as the update's id, makes a
// repeat harmless.
async function update<C extends keyof Commands>(command: C, payload: Commands[C] & { event_id: string }): Promise<void> {
  try {
    const answer = await ixn.executeUpdate<Answer, [object]>(command, { args: [payload], updateId: payload.event_id });
    console.log(`${command}: ${answer.state}`); // answer.capabilities lists what is legal next
  } catch (err) {
    if (err instanceof WorkflowUpdateFailedError && err.cause instanceof ApplicationFailure) {
      console.log(`${command} was refused (${err.cause.type}): ${err.cause.message}`);
      return;
    }
    throw err;
  }
}

await signal('place_in_queue', { event_id: 'acd-1', queue: 'sales' });
await update('offer', { event_id: 'acd-2', agent: { id: 'ada', name: 'Ada' } });
await update('accept', { event_id: 'acd-3', agent: 'ada' });
await update('connect', { event_id: 'acd-4' }); // refused: the phone call is connected already
await update('disconnect', { event_id: 'acd-5' });
await update('complete', { event_id: 'acd-6', disposition: 'SOLD' });

const state = await ixn.query<State>('state');
console.log(`${state.state} after ${state.sequence} events: ${state.outcome}, ${state.disposition?.code}`);
await connection.close();
