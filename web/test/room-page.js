/**
 * A page of a brand as its own program, for tests in another language: `node room-page.js URL TOKEN BRAND`. What its
 * socket says and hears goes to stdout, one JSON a line.
 */

import { JSDOM } from 'jsdom';

const { window } = new JSDOM('');
for (const [name, value] of Object.entries({ window, document: window.document, navigator: window.navigator })) {
  Object.defineProperty(globalThis, name, { value, configurable: true });
}
const { createElement } = await import('react');
const { createRoot } = await import('react-dom/client');
const { createSocket, useReconnectionRecovery } = await import('../src/index.js');

const [url, token, brandId] = process.argv.slice(2);
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');

const socket = createSocket('/wizard', { url, getToken: () => token });
socket.on('connect', () => say({ type: 'connect', recovered: socket.recovered }));
socket.on('disconnect', (reason) => say({ type: 'disconnect', reason }));
socket.onAny((event, ...args) => say({ type: 'event', event, args }));
socket.onAnyOutgoing((event, ...args) => say({ type: 'sent', event, args }));
socket.once('connect', () => socket.emit('brand:join', { brandId }, (answer) => say({ type: 'joined', answer })));

function Page() {
  useReconnectionRecovery(socket, { brandId });
  return null;
}

createRoot(document.createElement('main')).render(createElement(Page));
socket.connect();
