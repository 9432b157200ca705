// python3-socketio against a gateway, as the Python subscriber of client_example uses it.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { BINARY, freePorts, REPOSITORY, run, SECRET, startGateway, startProgram } from './harness.mjs';

const PROGRAM = join(REPOSITORY, 'client_example/python_subscriber.py');

// Over a websocket this client sends an Origin: the gateway's own, but with http.
async function startBoth(t, settings, origins = {}) {
  const [port] = await freePorts(1);
  const origin = `http://localhost:${port}`;
  const gateway = await startGateway(t, { WEBSOCKET_PORT: `${port}`, TRUST_ORIGIN_LIST: origin, ...origins });
  const secretFile = join(gateway.folder, 'secret');
  writeFileSync(secretFile, `${SECRET}\n`);
  const env = {
    PATH: process.env.PATH, ROOMCAST_URL: `https://localhost:${port}`, ROOMCAST_CA: gateway.ca,
    ROOMCAST_USER: 'room-1', WEBSOCKET_AUTH_TOKEN_SECRET_FILE: secretFile, ...settings,
  };
  return { gateway, program: startProgram(t, '/usr/bin/python3', [PROGRAM], { env }) };
}

async function publish(gateway, event) {
  const body = JSON.stringify({ target_id: 'room-1', ...event });
  const args = ['--silent', '--cacert', gateway.ca, '--json', body, `${gateway.producerUrl}/publish`];
  const { stdout } = await run('curl', args);
  assert.equal(stdout, 'OK');
}

for (const transport of ['polling', 'websocket']) {
  test(`over ${transport} it connects, hears events, and comes back after a restart`, async (t) => {
    const { gateway, program } = await startBoth(t, { ROOMCAST_TRANSPORTS: transport });
    await program.line((line) => line === `connected by ${transport}`);
    const event = { text: 'é ☃ 😀 \u0000 "', numbers: [0, -0.5, 9007199254740991, 1e21], nested: { null: null } };
    await publish(gateway, event);
    const line = await program.line((text) => text.startsWith('{'));
    assert.deepEqual(JSON.parse(line), { event: 'room-1', args: [event] });

    await gateway.program.stop();
    await program.line((text) => text === 'disconnected');
    const again = startProgram(t, BINARY, ['serve'], { cwd: gateway.folder, env: gateway.env });
    await again.line((text) => text.startsWith('{') && JSON.parse(text).port === 'consumer');
    await program.line((text, at, lines) => text.startsWith('connected') && lines.lastIndexOf('disconnected', at) >= 0);
    await publish(gateway, { again: true });
    await program.line((text) => text === '{"event": "room-1", "args": [{"again": true}]}');
  });

  test(`over ${transport} a wrong token ends it`, async (t) => {
    const { program } = await startBoth(t, { ROOMCAST_TRANSPORTS: transport, ROOMCAST_TOKEN: 'wrong' });
    await program.line((line) => line === 'refused: invalid token');
    assert.deepEqual(await program.exit, [1, null]);
  });
}

// Left to itself it begins with polling and moves before it connects, if its Origin is in the list.
for (const [transport, origins] of [['websocket', {}], ['polling', { TRUST_ORIGIN_LIST: 'https://app.test' }]]) {
  test(`by default it comes to ${transport} with ${origins.TRUST_ORIGIN_LIST ?? 'its Origin'} in the list`, async (t) => {
    const { gateway, program } = await startBoth(t, {}, origins);
    await program.line((line) => line === `connected by ${transport}`);
    await publish(gateway, { n: 1 });
    await program.line((line) => line === '{"event": "room-1", "args": [{"n": 1}]}');
  });
}
