// Publishers as a backend has them, each with a connection that is kept and one request at a time: every number that was
// answered by 200 goes to standard output. Ends when no publisher gets an answer any more.
//
// arguments: url of the producer port, file of the authority, publishers, rooms (events go to room-0 and up in turn)
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';

const [url, ca, publishers, rooms] = process.argv.slice(2);
let next = 0;

function publish(agent, number) {
  const body = JSON.stringify({ target_id: `room-${number % rooms}`, number });
  return new Promise((answered, failed) => {
    const request = https.request(`${url}/publish`, { agent, method: 'POST', headers: { 'content-type': 'application/json' } });
    request.on('response', (response) => response.resume().on('end', () => answered(response.statusCode)).on('error', failed));
    request.on('error', failed);
    request.end(body);
  });
}

async function publisher() {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: readFileSync(ca) });
  for (;;) {
    const number = next++;
    const status = await publish(agent, number).catch(() => null);
    if (status !== 200) return;
    process.stdout.write(`${number}\n`);
    await pause(5);
  }
}

await Promise.all(Array.from({ length: Number(publishers) }, publisher));
