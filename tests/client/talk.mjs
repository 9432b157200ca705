// A stock socket.io client that talks to a server which listens: it says what it was sent back, here and in /custom, in one
// line, and ends with its standard input.
//
// options: url, transports
import { createRequire } from 'node:module';

const options = JSON.parse(process.argv[2]);
const { io } = createRequire(import.meta.url)('socket.io-client');
const bytes = Buffer.from([0, 1, 254, 255]);

async function talk(namespace) {
  const socket = io(options.url + namespace, { transports: options.transports, auth: { name: namespace }, query: { uniqueUserId: 'room-1' } });
  const next = (event) => new Promise((resolve) => socket.once(event, (...data) => resolve(data)));
  const auth = await next('auth');
  socket.emit('message', { text: 'é', bytes }, [bytes]);
  const back = await next('message-back');
  const acknowledged = await socket.emitWithAck('message-with-ack', { deep: [{ bytes }] });
  socket.emit('nobody listens', bytes);
  socket.emit('message', 'last');
  const last = await next('message-back');
  return { auth, back, acknowledged, last, transport: socket.io.engine.transport.name };
}

// Both share one transport.
const said = await Promise.all([talk('/'), talk('/custom')]);
process.stdout.write(`${JSON.stringify({ said })}\n`);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
