// Connects with the stock socket.io client and shows every event of the user's room.
'use strict';

{
  const settings = document.currentScript.dataset;
  const EVENTS_SHOWN_MAX = 200;
  const element = (id) => document.getElementById(id);
  let eventCount = 0;

  if (typeof io === 'undefined') {
    show('bad', 'the socket.io client is not installed');
    hint('Type “make dev” in the folder of roomcast, or “npm ci” in client_example, then reload this page.');
  } else {
    start();
  }

  // The answer also names the user, and the line that publishes to it.
  async function fetchSession() {
    const answer = await fetch(settings.token, { cache: 'no-store' });
    if (!answer.ok) throw new Error(`${settings.token} answered ${answer.status}`);
    return answer.json();
  }

  async function start() {
    show('wait', 'asking for a token');
    let session;
    try {
      session = await fetchSession();
    } catch (error) {
      show('bad', 'no token');
      hint(`${error.message}. Is roomcast running?`);
      retry(start);
      return;
    }
    element('room').textContent = session.user;
    element('curl').textContent = session.curl ?? 'no line was given';
    connect(session.user);
  }

  function connect(user) {
    const socket = io(settings.gateway || undefined, {
      query: { uniqueUserId: user },
      // A function, called at every connect: a token is good for a day, and a page may stay open for longer.
      auth: (send) => {
        fetchSession().then(
          ({ token }) => send({ token }),
          // Without a token there is nothing to send; a closed transport makes the client come back by itself.
          () => socket.io.engine.close(),
        );
      },
    });

    show('wait', 'connecting');
    socket.on('connect', () => {
      show('good', 'connected');
      watchTransport(socket.io.engine);
    });
    socket.on('disconnect', (reason) => {
      element('transport').textContent = 'none';
      if (socket.active) show('wait', `connection lost (${reason}), reconnecting`);
      else refused(socket, reason);
    });
    socket.on('connect_error', (error) => {
      // While the socket is active the client tries again by itself; a refusal by the gateway ends that.
      if (socket.active) show('wait', `no connection (${error.message}), trying again`);
      else refused(socket, error.message);
    });
    socket.io.on('reconnect_attempt', (attempt) => show('wait', `reconnecting, attempt ${attempt}`));
    socket.onAny(addEvent);
  }

  function refused(socket, why) {
    show('bad', `refused: ${why}`);
    retry(() => {
      show('wait', 'connecting');
      socket.connect();
    });
  }

  function watchTransport(engine) {
    const name = () => { element('transport').textContent = engine.transport.name; };
    name();
    engine.once('upgrade', name);
  }

  function addEvent(event, ...values) {
    const item = document.createElement('li');
    const head = item.appendChild(document.createElement('div'));
    head.className = 'head';
    const time = head.appendChild(document.createElement('time'));
    const now = new Date();
    time.dateTime = now.toISOString();
    time.textContent = now.toLocaleTimeString();
    head.appendChild(document.createElement('code')).textContent = event;
    item.appendChild(document.createElement('pre')).textContent =
      values.map((value) => JSON.stringify(value, null, 2)).join('\n');

    const events = element('events');
    events.prepend(item);
    if (events.children.length > EVENTS_SHOWN_MAX) events.lastElementChild.remove();
    eventCount += 1;
    element('count').textContent = `(${eventCount})`;
    element('none').hidden = true;
  }

  function show(kind, text) {
    element('state').dataset.kind = kind;
    element('state').textContent = text;
    hint('');
    retry(null);
  }

  function hint(text) {
    element('hint').textContent = text;
    element('hint').hidden = text === '';
  }

  function retry(action) {
    element('retry').hidden = action === null;
    element('retry').firstElementChild.onclick = action;
  }

  element('copy').addEventListener('click', async () => {
    const button = element('copy');
    try {
      await navigator.clipboard.writeText(element('curl').textContent);
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(element('curl'));
      button.textContent = 'Press Ctrl+C';
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });
}
