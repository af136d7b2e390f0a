// Runs a strategy with the SCXML engine of SCION.
//
//   node engine.mjs strategy.scxml '{"times": 1, "task": {…}}'
//
// task is the data of the event "visit", which starts the strategy. times is how often each request is sent, all at once.
// Each event is one line of JSON on stdout:
//
//   {"event": "state", "state"}    {"event": "answer", "path", "statuses", "bodies"}    {"event": "end", "state"}
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const scxml = createRequire(import.meta.url)("@scion-scxml/scxml");
const [path, text] = process.argv.slice(2);
const { times, task } = JSON.parse(text);
const print = (event, fields) => process.stdout.write(JSON.stringify({ event, ...fields }) + "\n");

// session:fetch is of Orchestration Server, not of SCXML: the element calls "fetch" of the session. SCION names functions
// after elements with their namespace, which is no JavaScript, so the element is read as one of SCXML.
const session = "http://www.genesys.com/modules/session";
const standard = "http://www.w3.org/2005/07/scxml";
scxml.registerCustomActionTags({
  [standard]: {
    fetch(action, builder) {
      const source = builder.generateFnCall(builder.generateAttributeExpression(action, "srcexpr"));
      const data = action.params ? builder.generateFnCall(builder.constructSendEventData(action)) : "undefined";
      return `this.fetch(${JSON.stringify(action.method)}, ${JSON.stringify(action.type ?? "text/plain")}, ${source}, ${data});`;
    },
  },
});

// request sends one request, and waits as long as Orchestration Server does.
async function request(method, type, url, data) {
  try {
    const response = await fetch(url, {
      method: method.toUpperCase(), signal: AbortSignal.timeout(15_000),
      ...data && { body: JSON.stringify(data), headers: { "Content-Type": type } },
    });
    return { status: response.status, content: await response.json() };
  } catch {
    return { status: 0, content: null };   // not answered
  }
}

scxml.core.InterpreterScriptingContext.prototype.fetch = async function (method, type, url, data) {
  const answers = await Promise.all(Array.from({ length: times }, () => request(method, type, url, data)));
  const best = answers.find(({ status }) => status === 200) ?? answers.find(({ status }) => status >= 400 && status < 429) ?? answers[0];
  if (data) print("answer", { path: new URL(url).pathname, statuses: answers.map((a) => a.status), bodies: answers.map((a) => a.content) });
  const { status, content } = best;
  if (status === 200) return void this._interpreter.gen({ name: "session.fetch.done", data: { content } });
  this._interpreter.gen({ name: "error.session.fetch", data: { content, final: status >= 400 && status < 429 } });
};

scxml.documentStringToModel(path, readFileSync(path, "utf8").replace(session, standard), (failure, model) => {
  if (failure) throw failure;
  model.prepare((failure, prepared) => {
    if (failure) throw failure;
    const strategy = new scxml.core.Statechart(prepared);
    let last;
    strategy.on("onEntry", (state) => {
      if (state.startsWith("$") || state === last) return;   // the document itself; a request sent again
      print("state", { state: last = state });
    });
    strategy.on("onExitInterpreter", () => print("end", { state: last }));
    strategy.start();
    strategy.gen({ name: "visit", data: task });
  });
});
