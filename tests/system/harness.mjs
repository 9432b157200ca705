// What the system tests share: folders, ports and programs of a test's own, and a gateway that is started and stopped.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const TARGET = resolve(REPOSITORY, process.env.CARGO_TARGET_DIR || 'target');
export const BINARY = join(TARGET, 'debug/roomcast');
export const ARTIFACTS = join(REPOSITORY, 'target/artifacts');
export const DEADLINE_MS = 60_000;
export const SECRET = 'some-nasty-secret';

mkdirSync(ARTIFACTS, { recursive: true });

// Runs a program to its end; what it prints is returned, and told when it fails.
export const run = async (file, args = [], options = {}) => {
  try {
    return await promisify(execFile)(file, args, { maxBuffer: 64 << 20, ...options });
  } catch (error) {
    error.message += `\n${error.stdout ?? ''}`;
    throw error;
  }
};

export function requireRoot() {
  assert.equal(process.getuid(), 0, 'this test needs root: run `make test-system` as root');
}

// In place of a test's `t`, for what all tests of a file share: it is cleaned up after the last of them.
export function sharedByTheFile() {
  const cleanups = [];
  after(async () => { for (const cleanup of cleanups.reverse()) await cleanup(); });
  return { after: (cleanup) => cleanups.push(cleanup) };
}

export function makeFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'roomcast-system-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

// Below the range that the system gives out by itself: nobody takes the port between this check and the gateway's start.
export async function freePorts(count) {
  const ports = new Set();
  while (ports.size < count) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    const free = await new Promise((answer) => {
      server.once('error', () => answer(false)).listen(port, '127.0.0.1', () => server.close(() => answer(true)));
    });
    if (free) ports.add(port);
  }
  return [...ports];
}

export async function within(promise, complaint, deadline = DEADLINE_MS) {
  const timer = new AbortController();
  const late = pause(deadline, null, { signal: timer.signal }).then(() => { throw new Error(complaint()); });
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
    late.catch(() => {});
  }
}

// Asks again and again until the answer is not falsy; an error counts as "not yet".
export async function until(ask, what, deadline = DEADLINE_MS) {
  const end = Date.now() + deadline;
  for (;;) {
    let reason = '';
    try {
      const answer = await ask();
      if (answer) return answer;
    } catch (error) {
      reason = `: ${error.message}`;
    }
    if (Date.now() > end) throw new Error(`${what} did not come true${reason}`);
    await pause(50);
  }
}

// A program that runs beside the test. It is killed, by its process id, when the test ends before it does.
export function startProgram(t, file, args, options = {}) {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const program = { child, text: '', exit: once(child, 'exit') };
  const watchers = new Set();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      program.text += chunk;
      for (const watcher of watchers) watcher();
    });
  }
  t.after(() => { if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL'); });

  // The first whole line of its output that `wanted` accepts.
  program.line = (wanted) => {
    const find = () => program.text.split('\n').slice(0, -1).find(wanted);
    const found = new Promise((resolved, failed) => {
      const look = () => { const line = find(); if (line !== undefined) resolved(line); };
      watchers.add(look);
      program.exit.then(([code, signal]) => {
        look();
        failed(new Error(`${file} ended with ${code ?? signal}:\n${program.text}`));
      }, failed);
      look();
    });
    return within(found, () => `the line did not come:\n${program.text}`);
  };
  program.stop = async (signal = 'SIGTERM') => {
    child.kill(signal);
    const [code] = await within(program.exit, () => `still running after ${signal}:\n${program.text}`);
    return code;
  };
  return program;
}

// Development certificates of the test's own: ca.pem, cert.pem, key.pem, and a client certificate for each name.
export async function makeCertificates(folder, ...clients) {
  const out = join(folder, 'certs');
  await run(BINARY, ['cert', '--out', out, ...clients.flatMap((name) => ['--client', name])]);
  return out;
}

// A gateway on free ports of loopback, with TLS and the daily token; `settings` come on top.
export async function startGateway(t, settings = {}, binary = BINARY) {
  const folder = makeFolder(t);
  const certs = await makeCertificates(folder);
  const [producer, consumer, admin] = await freePorts(3);
  const env = {
    HOST: '127.0.0.1', HTTP_PORT: `${producer}`, WEBSOCKET_PORT: `${consumer}`, ADMIN_ADDR: `127.0.0.1:${admin}`,
    PUB_KEY_PATH: join(certs, 'cert.pem'), PRIV_KEY_PATH: join(certs, 'key.pem'),
    TRUST_CIDR_LIST: '127.0.0.0/8', TRUST_ORIGIN_LIST: 'https://app.test',
    WEBSOCKET_AUTH_TOKEN_SECRET: SECRET, LOG_FORMAT: 'json', ...settings,
  };
  const program = startProgram(t, binary, ['serve'], { cwd: folder, env });
  for (const port of ['producer', 'consumer']) {
    await program.line((line) => line.startsWith('{') && JSON.parse(line).port === port);
  }
  return {
    ...program, program, folder, certs, ca: join(certs, 'ca.pem'), producer, consumer, admin, env,
    producerUrl: `https://localhost:${producer}`, consumerUrl: `https://localhost:${consumer}`,
  };
}
