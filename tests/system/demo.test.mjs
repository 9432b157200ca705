// From an empty folder to the first event in a browser: `roomcast dev`, its page, and the line that it prints.

import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launchBrowser } from './browser.mjs';
import { ARTIFACTS, BINARY, DEADLINE_MS, freePorts, makeFolder, REPOSITORY, run, startProgram } from './harness.mjs';

let browser;
before(async () => { browser = await launchBrowser(); });
after(() => browser?.close());

// A folder as a clone has it once `npm ci` ran, and nothing of what `roomcast dev` makes.
function makeClone(t) {
  const folder = makeFolder(t);
  cpSync(join(REPOSITORY, 'client_example'), join(folder, 'client_example'), { recursive: true });
  return folder;
}

// Starts the gateway and waits for the line to paste, which it prints once both ports listen.
async function startDev(t, folder, [httpPort, websocketPort]) {
  const { NODE_ENV, APP_ENV, ...env } = process.env;
  const args = ['dev', '--http-port', `${httpPort}`, '--websocket-port', `${websocketPort}`];
  const program = startProgram(t, BINARY, args, { cwd: folder, env });
  const curl = await program.line((line) => line.startsWith('curl '));
  const stop = async () => assert.equal(await program.stop(), 0, `exit code after SIGTERM:\n${program.text}`);
  return { curl, stop, output: () => program.text };
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
  const folder = makeClone(t);
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
  const folder = makeClone(t);
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
  const folder = makeFolder(t);
  const ports = await freePorts(2);
  const dev = await startDev(t, folder, ports);
  assert.match(dev.output(), /make dev/);
  const { page } = await openDemo(t, ports[1]);
  await state(page, 'the socket.io client is not installed');
  await page.locator('#hint', { hasText: 'make dev' }).waitFor();
  await dev.stop();
});
