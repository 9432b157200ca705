// The publishers of client_example in every language, with a gateway and with a peer that answers as it is told to.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';

import {
  BINARY, DEADLINE_MS, makeCertificates, makeFolder, REPOSITORY, run, sharedByTheFile, startGateway, startProgram,
  TARGET,
} from './harness.mjs';

const FOLDER = join(REPOSITORY, 'client_example/publishers');
const BUILT = join(TARGET, 'publisher');
const PUBLISHERS = {
  curl: ['/bin/sh', 'publish.sh'],
  node: [process.execPath, 'publish.mjs'],
  python: ['python3', 'publish.py'],
  php: ['php', 'publish.php'],
  go: [join(BUILT, 'publish-go')],
  rust: [join(BUILT, 'debug/publish')],
};
const MESSAGE = 'é ☃ 😀 "quoted" \\ \'single\' $HOME `id`\n<b>';

const shared = sharedByTheFile();
let gateway;
let strict; // asks publishers for a certificate
let peerCerts;
before(async () => {
  await run('go', ['build', '-o', PUBLISHERS.go[0], 'publish.go'], { cwd: FOLDER });
  const manifest = join(FOLDER, 'rust/Cargo.toml');
  await run('cargo', ['build', '--quiet', '--locked', '--manifest-path', manifest, '--target-dir', BUILT]);
  peerCerts = await makeCertificates(makeFolder(shared));
  gateway = await startGateway(shared, { RATE_LIMIT: '0' });
  strict = await startGateway(shared, { VERIFY_ORIGIN: 'producer', CA_PATH: 'certs/ca.pem' });
});

// Runs a publisher to its end. Its exit code, what it said, and for how long it ran.
async function publish(name, options) {
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, ROOMCAST_TARGET: 'room-1', ROOMCAST_MESSAGE: MESSAGE, ...options };
  const [file, ...args] = PUBLISHERS[name];
  const began = Date.now();
  const ended = await run(file, args, { cwd: FOLDER, env, timeout: DEADLINE_MS }).catch((error) => error);
  return { code: ended.code ?? 0, said: ended.stdout + ended.stderr, ms: Date.now() - began };
}

async function subscribe(t, room) {
  const env = { ...process.env, WEBSOCKET_AUTH_TOKEN_SECRET: gateway.env.WEBSOCKET_AUTH_TOKEN_SECRET };
  const args = ['tail', '--url', gateway.consumerUrl, '--cacert', gateway.ca, '--user', room];
  const tail = startProgram(t, BINARY, args, { env });
  await tail.line((line) => line.includes(`listening to ${room}`));
  return tail;
}

// Answers publishes with TLS as it is told to, and keeps what it was asked.
async function startPeer(t, answer) {
  const asked = [];
  const files = { cert: readFileSync(join(peerCerts, 'cert.pem')), key: readFileSync(join(peerCerts, 'key.pem')) };
  const server = createServer(files, async (request, response) => {
    const chunks = await request.toArray();
    asked.push({ time: Date.now(), body: Buffer.concat(chunks).toString() });
    answer(asked.length, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => { server.closeAllConnections(); server.close(); });
  const url = `https://localhost:${server.address().port}`;
  return { asked, options: { ROOMCAST_PRODUCER_URL: url, ROOMCAST_CA: join(peerCerts, 'ca.pem') } };
}

const refuse = (response, status) => response.writeHead(status, { 'Retry-After': '1' }).end();

describe('each publisher', { concurrency: true }, () => {
  for (const name of Object.keys(PUBLISHERS)) {
    describe(name, { concurrency: true }, () => {
      test('what it publishes is received as it was written', async (t) => {
        const room = `room-of-${name}`;
        const tail = await subscribe(t, room);
        const options = { ROOMCAST_PRODUCER_URL: gateway.producerUrl, ROOMCAST_CA: gateway.ca, ROOMCAST_TARGET: room };
        const { code, said } = await publish(name, options);
        assert.deepEqual([code, said], [0, '']);
        const line = JSON.parse(await tail.line((text) => text.startsWith('{')));
        assert.deepEqual([line.event, line.data], [room, { message: MESSAGE }]);
      });

      test('a refusal that lasts ends it at once, and is told', async () => {
        const options = { ROOMCAST_PRODUCER_URL: gateway.producerUrl, ROOMCAST_CA: gateway.ca };
        const { code, said } = await publish(name, { ...options, ROOMCAST_TARGET: 'connect' });
        assert.notEqual(code, 0);
        assert.match(said, /not published: the gateway answered 400/);
      });

      test('a certificate of an authority that it was not given is refused', async (t) => {
        const { asked, options } = await startPeer(t, (_, response) => response.end('OK'));
        const { code, said } = await publish(name, { ...options, ROOMCAST_CA: gateway.ca });
        assert.notEqual(code, 0);
        assert.match(said, /certificate/i);
        const byTheSystem = await publish(name, { ...options, ROOMCAST_CA: undefined });
        assert.notEqual(byTheSystem.code, 0);
        assert.deepEqual(asked, []);
      });

      test('a certificate of its own opens a gateway that asks for one', async () => {
        const options = { ROOMCAST_PRODUCER_URL: strict.producerUrl, ROOMCAST_CA: strict.ca };
        await run(BINARY, ['cert', '--out', strict.certs, '--client', name]);
        const certificate = (part) => join(strict.certs, `client-${name}${part}.pem`);
        const mine = { ROOMCAST_CERT: certificate(''), ROOMCAST_KEY: certificate('-key') };
        const { code, said } = await publish(name, { ...options, ...mine });
        assert.deepEqual([code, said], [0, '']);
        assert.notEqual((await publish(name, options)).code, 0, 'not without');
      });

      test('after 503 and 429 it comes back when it was told to', async (t) => {
        const { asked, options } = await startPeer(t, (number, response) => {
          if (number === 1) refuse(response, 503);
          else if (number === 2) refuse(response, 429);
          else response.end('OK');
        });
        const { code, said } = await publish(name, options);
        assert.equal(code, 0, said);
        const expected = { target_id: 'room-1', message: MESSAGE };
        assert.deepEqual(asked.map(({ body }) => JSON.parse(body)), [expected, expected, expected]);
        for (const index of [1, 2]) assert.ok(asked[index].time - asked[index - 1].time >= 950, 'a second later');
      });

      test('without a number of seconds it comes back after one', async (t) => {
        const { asked, options } = await startPeer(t, (number, response) => {
          if (number === 1) response.writeHead(503).end();
          else if (number === 2) response.writeHead(429, { 'Retry-After': new Date().toUTCString() }).end();
          else response.end('OK');
        });
        const { code, said } = await publish(name, options);
        assert.equal(code, 0, said);
        assert.equal(asked.length, 3);
        for (const index of [1, 2]) assert.ok(asked[index].time - asked[index - 1].time >= 950, 'a second later');
      });

      test('after any other answer it does not come back: the event may have been emitted', async (t) => {
        for (const status of [408, 500, 502, 504]) {
          const { asked, options } = await startPeer(t, (_, response) => refuse(response, status));
          const { code, said } = await publish(name, options);
          assert.notEqual(code, 0);
          assert.match(said, new RegExp(`not published: the gateway answered ${status}`));
          assert.equal(asked.length, 1, `${status}`);
        }
      });

      test('it does not come back for ever, nor to a redirection', async (t) => {
        const { asked, options } = await startPeer(t, (_, response) => refuse(response, 429));
        const { code, said } = await publish(name, options);
        assert.notEqual(code, 0);
        assert.match(said, /429/);
        assert.equal(asked.length, 5);
        const login = await startPeer(t, (number, response) => {
          if (number === 1) response.writeHead(302, { Location: '/login' }).end();
          else response.end('who are you?');
        });
        assert.match((await publish(name, login.options)).said, /302/);
        assert.equal(login.asked.length, 1);
      });
    });
  }
});

test('none of them waits for ever for an answer, nor publishes twice because of it', async (t) => {
  await Promise.all(Object.keys(PUBLISHERS).map(async (name) => {
    const { asked, options } = await startPeer(t, () => {});
    const { code, ms } = await publish(name, options);
    assert.notEqual(code, 0, name);
    assert.ok(ms > 9_000 && ms < 40_000, `${name}: ${ms} ms`);
    assert.equal(asked.length, 1, name);
  }));
});
