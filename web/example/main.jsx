import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BmnProvider } from 'bmn-web';

import { Logos } from './logos.jsx';

// A real page has its own sign-in. This one is handed the server and a token behind the #, which no server gets to see:
//   http://localhost:5173/#token=...&url=http://127.0.0.1:3000
const given = new URLSearchParams(window.location.hash.slice(1));
const url = given.get('url') ?? 'http://127.0.0.1:3000';

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <BmnProvider url={url} getToken={() => given.get('token')}>
      <Logos />
    </BmnProvider>
  </StrictMode>,
);
