// From an empty folder to the first event in a browser: `roomcast dev`, its page, and the line that it prints.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { chromium } from 'playwright-core';

const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const BINARY = join(resolve(REPOSITORY, process.env.CARGO_TARGET_DIR || 'target'), 'debug/roomcast');
const ARTIFACTS = join(REPOSITORY, 'target/artifacts');
const DEADLINE_MS = 30_000;
const run = promisify(execFile);

let browser;
before(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
    ],
  });
});
after(() => browser?.close());

// A folder as a clone has it once `npm ci` ran, and nothing of what `roomcast dev` makes.
function makeFolder(t, { client }) {
  const folder = mkdtempSync(join(tmpdir(), 'roomcast-system-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  if (client) cpSync(join(REPOSITORY, 'client_example'), join(folder, 'client_example'), { recursive: true });
  return folder;
}

// Below the range that the system gives out by itself: nobody takes the port between this check and the gateway's start.
async function freePorts(count) {
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

// Starts the gateway and waits for the line to paste, which it prints once both ports listen.
async function startDev(t, folder, [httpPort, websocketPort]) {
  const { NODE_ENV, APP_ENV, ...env } = process.env;
  const child = spawn(BINARY, ['dev', '--http-port', `${httpPort}`, '--websocket-port', `${websocketPort}`], {
    cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  let output = '';
  const printed = new Promise((found, failed) => {
    const read = (chunk) => {
      output += chunk;
      const line = output.split('\n').slice(0, -1).find((text) => text.startsWith('curl '));
      if (line) found(line);
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    child.on('error', failed);
    ended.then(([code, signal]) => failed(new Error(`roomcast dev ended with ${code ?? signal}:\n${output}`)));
  });
  t.after(() => { if (child.exitCode === null) child.kill('SIGKILL'); });
  const curl = await within(printed, () => `no curl line in:\n${output}`);
  const stop = async () => {
    child.kill('SIGTERM');
    const [code] = await within(ended, () => `still running after SIGTERM:\n${output}`);
    assert.equal(code, 0, `exit code after SIGTERM:\n${output}`);
  };
  return { curl, stop, output: () => output };
}

async function within(promise, complaint) {
  let timer;
  const deadline = new Promise((_, failed) => {
    timer = setTimeout(() => failed(new Error(complaint())), DEADLINE_MS);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

async function openDemo(t, websocketPort) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1100, height: 900 } });
  t.after(() => context.close());
  context.setDefaultTimeout(DEADLINE_MS);
  const origin = `https://localhost:${websocketPort}`;
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin });
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
  page.on('pageerror', (error) => complaints.push(`${error}`));
  const requested = new Set();
  page.on('request', (request) => requested.add(new URL(request.url()).origin));
  await page.goto(`${origin}/demo`);
  return { page, complaints, requested, origin };
}

const state = (page, text) => page.locator('#state', { hasText: text }).waitFor();

test('an event published by the printed line appears in the browser', async (t) => {
  const folder = makeFolder(t, { client: true });
  const ports = await freePorts(2);
  const dev = await startDev(t, folder, ports);
  const { page, complaints, requested, origin } = await openDemo(t, ports[1]);
  await state(page, /^connected$/);
  await page.locator('#transport', { hasText: 'websocket' }).waitFor();
  assert.equal(await page.locator('#curl').textContent(), dev.curl, 'page and terminal show the same line');

  const { stdout } = await run('sh', ['-c', dev.curl], { cwd: folder });
  assert.equal(stdout, 'OK');
  const first = page.locator('#events li').first();
  await first.waitFor();
  assert.equal(await first.locator('code').textContent(), await page.locator('#room').textContent());
  assert.deepEqual(JSON.parse(await first.locator('pre').textContent()), { message: 'hello' });
  await page.screenshot({ path: join(ARTIFACTS, 'demo.png'), fullPage: true });

  const markup = '<img src=x onerror=alert(1)>';
  await run('sh', ['-c', dev.curl.replace('"hello"', JSON.stringify(markup))], { cwd: folder });
  await page.locator('#events li').nth(1).waitFor();
  assert.deepEqual(JSON.parse(await first.locator('pre').textContent()), { message: markup }, 'newest first, as text');
  assert.equal(await page.locator('#events img').count(), 0);

  await page.locator('#copy').click();
  await page.locator('#copy', { hasText: 'Copied' }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), dev.curl);

  assert.deepEqual([...requested], [origin], 'nothing is taken from elsewhere');
  assert.deepEqual(complaints, []);
  await dev.stop();
});

test('an open page comes back by itself when the gateway was restarted', async (t) => {
  const folder = makeFolder(t, { client: true });
  const ports = await freePorts(2);
  const first = await startDev(t, folder, ports);
  const { page } = await openDemo(t, ports[1]);
  await state(page, /^connected$/);
  // In the middle of an upgrade the stock client may need its ping timeout, 45 s, to see that the gateway is gone.
  await page.locator('#transport', { hasText: 'websocket' }).waitFor();
  await first.stop();
  await state(page, /connection lost|trying again|reconnecting/);
  await page.screenshot({ path: join(ARTIFACTS, 'demo-reconnecting.png'), fullPage: true });

  const second = await startDev(t, folder, ports);
  assert.equal(second.curl, first.curl, 'the line survives a restart');
  await state(page, /^connected$/);
  await run('sh', ['-c', second.curl], { cwd: folder });
  await page.locator('#events li').first().waitFor();
  await second.stop();
});

test('without the client, terminal and page say how to install it', async (t) => {
  const folder = makeFolder(t, { client: false });
  const ports = await freePorts(2);
  const dev = await startDev(t, folder, ports);
  assert.match(dev.output(), /make dev/);
  const { page } = await openDemo(t, ports[1]);
  await state(page, 'the socket.io client is not installed');
  await page.locator('#hint', { hasText: 'make dev' }).waitFor();
  await dev.stop();
});
