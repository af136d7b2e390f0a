// Plays one call against a running Segue (`segue dev`): starts an interaction, sends commands as
// signals and updates, handles a refusal, and queries the state.
import { ApplicationFailure, Client, Connection, WorkflowUpdateFailedError } from '@temporalio/client';

// The answer of an update; `go run ./starter commands --json` has the schemas of the payloads.
interface Answer {
  state: string;
  sequence: number;
  capabilities: string[];
  duplicate?: boolean;
}

interface State {
  state: string;
  outcome?: string;
  sequence: number;
}

const address = process.env.SEGUE_TEMPORAL_ADDRESS || '127.0.0.1:7233';
const connection = await Connection.connect({ address });
const client = new Client({ connection, namespace: 'default' });

const contactCenter = 'default';
const id = `ts-${Date.now()}`;
const call = await client.workflow.start('Interaction', {
  taskQueue: 'segue',
  workflowId: `interaction/${contactCenter}/${id}`,
  workflowIdReusePolicy: 'REJECT_DUPLICATE', // an id is used once
  priority: { fairnessKey: contactCenter }, // a flood in one contact center delays no other
  args: [{ id, contact_center: contactCenter, channel: 'inbound', ani: '+4930123456' }],
});
console.log(`started ${contactCenter}/${id}`);

// Temporal stores a signal; the interaction applies it later.
await call.signal('place_in_queue', { event_id: 'acd-1', queue: 'sales' });

// An update returns the interaction's answer. The event id, also as the update's id, makes a
// repeat harmless.
async function update(command: string, payload: { event_id: string; [field: string]: unknown }): Promise<void> {
  try {
    const answer = await call.executeUpdate<Answer, [object]>(command, { args: [payload], updateId: payload.event_id });
    console.log(`${command}: ${answer.state}`); // answer.capabilities lists what is legal next
  } catch (err) {
    if (err instanceof WorkflowUpdateFailedError && err.cause instanceof ApplicationFailure) {
      console.log(`${command} was refused (${err.cause.type}): ${err.cause.message}`);
      return;
    }
    throw err;
  }
}

await update('offer', { event_id: 'acd-2', agent: { id: 'ada', name: 'Ada' } });
await update('accept', { event_id: 'acd-3', agent: 'ada' });
await update('connect', { event_id: 'acd-4' }); // refused: the call is connected already
await update('disconnect', { event_id: 'acd-5' });
await update('complete', { event_id: 'acd-6' });

const state = await call.query<State>('state');
console.log(`${state.state} after ${state.sequence} events: ${state.outcome}`);
await connection.close();
