// Publishes one event. Node 18 or newer, no packages. Options: see README.md of client_example.
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';

const { env } = process;
const file = (name) => (env[name] ? readFileSync(env[name]) : undefined);
const url = new URL('/publish', env.ROOMCAST_PRODUCER_URL || 'https://localhost:2053');
// One agent for the life of the program: a connection is kept from one event to the next.
const agent = new https.Agent({
  keepAlive: true, ca: file('ROOMCAST_CA'), cert: file('ROOMCAST_CERT'), key: file('ROOMCAST_KEY'),
});

function post(body) {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const signal = AbortSignal.timeout(10_000);
    const request = https.request(url, { agent, method: 'POST', headers, signal }, (answer) => {
      answer.resume().on('end', () => resolve(answer)).on('error', reject);
    });
    request.on('error', reject).end(body);
  });
}

async function publish(target, event) {
  const body = JSON.stringify({ ...event, target_id: target });
  for (let attempt = 1; ; attempt += 1) {
    const { statusCode, headers } = await post(body);
    if (statusCode === 200) return;
    const passes = statusCode === 429 || statusCode === 503;
    if (!passes || attempt === 5) throw new Error(`not published: the gateway answered ${statusCode}`);
    await pause(1000 * (Number(headers['retry-after']) || 1));
  }
}

await publish(env.ROOMCAST_TARGET, { message: env.ROOMCAST_MESSAGE });
agent.destroy();
